//! The Image API and Keystone as a caller: any Glance, ours or another.
//!
//! A [`Cloud`] says where and who (from `clouds.yaml` or `OS_*` variables), a [`Session`] logs in
//! when first needed and sends requests, [`Images`] speaks the Image API v2. Everything is async;
//! a call is cancelled by dropping its future. [`blocking`] serves callers without a runtime.
//!
//! ```ignore
//! let images = Session::from_env(None)?.images();
//! let image = images.create(&NewImage::named("debian-12").disk_format("qcow2")).await?;
//! images.upload(&image.id, Source::file("debian.qcow2")?, &Progress::none()).await?;
//! ```

pub mod cloud;
mod error;
pub mod images;
pub mod keystone;
mod progress;
mod retry;
mod runtime;
mod secret;
mod session;
mod tasks;

pub use cloud::Cloud;
pub use error::Error;
pub use images::{Change, Image, Images, ListQuery, NewImage, Source};
pub use progress::Progress;
pub use retry::Retry;
pub use runtime::blocking;
pub use secret::Secret;
pub use session::Session;
pub use tasks::{Task, Tasks};

/// What the calls of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
