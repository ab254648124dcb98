//! What a disk file is: detect, inspect for danger, create, read, convert, resize.
//!
//! [`Inspector`] looks at an upload while it passes; [`info`] looks at a file with the same eyes.
//! [`open`] reads the disk in an image, [`convert`] writes one into a new image. Files that an
//! image names are opened only where the caller says so.
//!
//! Everything here is synchronous and parses what strangers made: a fault in an image is an error,
//! never a panic, and no table is believed that the format's limits do not allow.

mod convert;
mod create;
mod disk;
mod error;
mod facts;
mod file;
mod formats;
mod fresh;
mod info;
mod inspect;
mod size;
mod view;

pub use convert::{Watch, convert};
pub use create::{
    Backing, Compat, Compression, Options, Preallocation, Resize, Shrink, create, resize,
};
pub use disk::{Disk, Extent, ExtentKind, References, open};
pub use error::{Error, Result};
pub use facts::{Detail, Facts, Reference, ReferenceKind};
pub use file::expect_sound_partitions;
pub use info::{Info, info};
pub use inspect::{InspectError, Inspector, PartitionTables};
pub use size::{ByteSize, SizeError};
