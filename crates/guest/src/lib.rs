//! What is inside a disk, seen as a root directory: prepare, clean and check a guest.
//!
//! A [`Root`] is a directory that nothing inside it can lead out of. On it work three lists of
//! small parts, one file each: [`prepare::ALL`] makes a guest fit for a cloud, [`clean::ALL`]
//! removes what belongs to one instance, [`check::ALL`] judges the result. [`job::run`] does what
//! a [`job::Job`] asks for and tells each change; it runs wherever the root is: in the appliance's
//! micro-VM, or on a plain directory.
//!
//! Everything is plain synchronous code without a thread or a clock of its own, so that it also
//! fits into a static init.

#![warn(missing_docs)]

pub mod check;
pub mod clean;
pub mod commands;
mod edit;
mod error;
mod formats;
pub mod job;
mod network;
mod os;
pub mod prepare;
pub mod root;
mod system;

pub use commands::Commands;
pub use edit::Edit;
pub use error::{Error, Result};
pub use os::{Family, Guest, Init, Os, Package, PackageManager, inspect};
pub use root::Root;
