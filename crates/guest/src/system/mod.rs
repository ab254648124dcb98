//! What is set up in a guest, put together from several of its files.

pub(crate) mod boot;
pub(crate) mod cloud_init;
pub(crate) mod homes;
pub(crate) mod host_keys;
pub(crate) mod services;
