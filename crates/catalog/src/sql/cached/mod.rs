//! Records of image caches: in Glance's tables, which all nodes share (the driver
//! `centralized_db`), or in a database beside the files, as Glance's driver `sqlite` keeps it.

mod local;
mod row;
mod shared;

pub use local::LocalRecords;
pub(super) use row::number;
