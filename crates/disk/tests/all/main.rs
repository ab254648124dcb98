//! The crate beside QEMU's own tools, and against what strangers make.

mod convert;
mod create;
mod hostile;
mod inspect;
mod peer;
