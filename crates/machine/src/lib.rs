//! Running virtual machines: what runs them, the appliance that edits a disk, the seed that a
//! cloud would give, and the proof that an image boots.
//!
//! Everything here is synchronous, needs no privilege and listens on 127.0.0.1 only, where it
//! must at all. The order of a run: [`kernel::Kernel::prepared`], [`accelerator::choose`],
//! [`appliance::Appliance::run`], [`boot_proof::BootProof::run`].

pub mod accelerator;
pub mod appliance;
pub mod boot_proof;
mod cache;
mod cancel;
pub mod disk_space;
mod error;
mod initramfs;
pub mod kernel;
pub mod metadata;
pub mod qemu;

pub use cancel::Cancel;
pub use error::{Error, Result};
pub use qemu::DriveFormat;
