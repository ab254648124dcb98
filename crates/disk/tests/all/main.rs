//! The crate beside QEMU's own tools, and against what strangers make.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod convert;
mod create;
mod hostile;
mod inspect;
mod peer;
