//! Bytes from URLs that strangers name.
//!
//! A service that fetches what a user names can be led to where the user could not go: to itself,
//! to the metadata of its cloud, to hosts behind its firewall. So a [`Filter`] says what may be
//! named, as Glance's `[import_filtering_opts]` does, and a [`Fetcher`] looks a name up once,
//! refuses addresses that nobody else could mean, and connects to the very address that it looked
//! at. Redirects are followed by the same rules.

mod address;
mod error;
mod fetcher;
mod filter;

pub use error::{Error, Result};
pub use fetcher::{Answer, Data, Fetcher, Trust};
pub use filter::{Admitted, Filter};
pub use reqwest::Certificate;
