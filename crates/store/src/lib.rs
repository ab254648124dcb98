//! Where bytes live: the [`Store`] of image data, one file or folder each, and [`Stores`], the
//! ones that are enabled.
//!
//! Location URIs are Glance's own (`glance_store`), so that what Glance wrote is served from here
//! and what is written here is readable by Glance.

mod blocking;
mod check;
mod cinder;
mod cleanup;
mod contract;
mod error;
mod file;
mod gridfs;
mod http;
mod kind;
mod rbd;
mod remote;
mod s3;
mod set;
mod settings;
mod sheepdog;
mod swift;
#[cfg(test)]
mod testing;
mod vmware;

/// A text that is never shown.
pub use client::Secret;

pub use check::{Checked, Step, check};
pub use cinder::CinderStore;
pub use cleanup::Cleanups;
pub use contract::{
    Abilities, Data, Direct, Original, PIECE, Principal, Readers, Source, Store, Written,
};
pub use error::{Error, Result, SourceError};
pub use file::FileStore;
pub use gridfs::GridfsStore;
pub use http::HttpStore;
pub use rbd::RbdStore;
pub use s3::S3Store;
pub use set::{Enabled, Reserved, Stores, UnknownStore};
pub use settings::SettingsError;
pub use sheepdog::SheepdogStore;
pub use swift::SwiftStore;
pub use vmware::VmwareStore;
