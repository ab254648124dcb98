//! The languages of the files in a guest, as far as they are read and edited. What an editor does
//! not understand or need not change stays as it is, byte for byte.

pub(crate) mod assignments;
