//! Metadata definitions between their JSON and the catalog's words: what requests say, and what is
//! shown.

pub(crate) mod definition;
pub(crate) mod listing;
pub(crate) mod request;
pub(crate) mod view;
