//! The languages of the files in a guest, as far as they are read and edited. What an editor does
//! not understand or need not change stays as it is, byte for byte.

pub(crate) mod accounts;
pub(crate) mod assignments;
pub(crate) mod fstab;
pub(crate) mod ini;
pub(crate) mod interfaces;
pub(crate) mod kernel_lines;
pub(crate) mod sshd_config;
pub(crate) mod yaml;
