//! New images.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::formats::{self, qcow2};
use crate::fresh::Fresh;
use crate::size::ByteSize;
use crate::{References, disk};

/// How an image is made: `qemu-img`'s options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `cluster_size` (qcow2): bytes of an allocation unit, a power of two from 512 to 2 MiB.
    pub cluster_size: u64,
    /// `compat` (qcow2): who must be able to read it.
    pub compat: Compat,
    /// `preallocation` (raw): whether room is taken at once.
    pub preallocation: Preallocation,
    /// Whether what is written is compressed (qcow2).
    pub compression: Compression,
    /// What is read where the image holds nothing (qcow2).
    pub backing: Option<Backing>,
}

/// The versions of qcow2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compat {
    /// Version 2: QEMU 0.10 and later.
    V0_10,
    /// Version 3: QEMU 1.1 and later.
    V1_1,
}

/// Whether the room of an image is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preallocation {
    /// Where something is written.
    Off,
    /// Reserved, without being written.
    Falloc,
    /// Written, with zeros.
    Full,
}

/// Whether clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    None,
    /// Each by itself, with deflate, where that makes it smaller.
    Deflate,
}

/// A backing file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Where it is; a relative path is meant from the folder of the image.
    pub file: PathBuf,
    /// Its format. It is written down: a reader that guesses can be led to guess wrong.
    pub format: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cluster_size: 64 << 10,
            compat: Compat::V1_1,
            preallocation: Preallocation::Off,
            compression: Compression::None,
            backing: None,
        }
    }
}

/// An option of `-o`: its name, and what takes its value.
type Setter = (&'static str, fn(&mut Options, &str) -> std::result::Result<(), String>);

const OPTIONS: &[Setter] = &[
    ("cluster_size", |options, value| {
        let size: ByteSize = value.parse().map_err(|why: crate::SizeError| why.to_string())?;
        options.cluster_size = size.bytes();
        Ok(())
    }),
    ("compat", |options, value| {
        let values = [
            ("0.10", Compat::V0_10),
            ("v2", Compat::V0_10),
            ("1.1", Compat::V1_1),
            ("v3", Compat::V1_1),
        ];
        choose(&values, value).map(|compat| options.compat = compat)
    }),
    ("preallocation", |options, value| {
        let values = [
            ("off", Preallocation::Off),
            ("falloc", Preallocation::Falloc),
            ("full", Preallocation::Full),
        ];
        choose(&values, value).map(|preallocation| options.preallocation = preallocation)
    }),
];

fn choose<T: Copy>(values: &[(&str, T)], value: &str) -> std::result::Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == value).map(|(_, found)| *found);
    found.ok_or_else(|| {
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        format!("it can be {}", names.join(", "))
    })
}

impl Options {
    /// Takes options as `qemu-img -o` writes them: `cluster_size=2M,compat=1.1`.
    ///
    /// # Errors
    /// [`Error::Option`] for a name that there is not, or a value that it cannot have.
    pub fn set(&mut self, text: &str) -> Result<()> {
        for option in text.split(',').filter(|option| !option.is_empty()) {
            let wrong = |why: String| Error::Option { option: option.to_owned(), why };
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let (_, set) = OPTIONS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                let known: Vec<_> = OPTIONS.iter().map(|(name, _)| *name).collect();
                wrong(format!("there is no such option; known are {}", known.join(", ")))
            })?;
            set(self, value).map_err(wrong)?;
        }
        Ok(())
    }
}

/// Makes an empty image. Its size may be left out when a backing file has one. It appears under its
/// name when it is whole; a file that was there is replaced then.
///
/// # Errors
/// [`Error::UnknownFormat`], [`Error::Option`], [`Error::Unsupported`]; [`Error::Backing`] when the
/// backing file is not there; [`Error::Io`].
pub fn create(path: &Path, format: &str, size: Option<ByteSize>, options: &Options) -> Result<()> {
    let format = formats::named(format)?;
    let size = match (size, &options.backing) {
        (Some(size), _) => size,
        (None, Some(backing)) => size_of_backing(path, backing)?,
        (None, None) => {
            let why = "an image without a backing file needs one".to_owned();
            return Err(Error::Option { option: "size".to_owned(), why });
        }
    };
    let fresh = Fresh::beside(path)?;
    let file = fresh.file()?;
    format.write(file, path, size, options)?.finish().map_err(Error::at(path))?;
    fresh.commit()
}

/// What disks are a whole number of.
const SECTOR: u64 = 512;

/// A file of any content is a raw disk, unless it says that it is another one.
const NO_DISK: &str =
    "it is not a whole number of sectors long and may be no disk; give its format if it is one";

/// Makes a disk larger, or smaller where that is asked for, in place.
///
/// # Errors
/// [`Error::Shrinks`] when its end would be lost and `shrink` is not said; [`Error::NotHandled`], also
/// for a file that can't be told from one that is no disk; [`Error::Unsupported`], [`Error::Image`],
/// [`Error::Io`].
pub fn resize(path: &Path, format: Option<&str>, size: Resize, shrink: Shrink) -> Result<ByteSize> {
    let image = crate::file::ImageFile::open(path, format)?;
    let now = ByteSize::new(image.facts.virtual_size.unwrap_or_default());
    let is_taken_for_raw = format.is_none() && image.format.name() == "raw";
    if is_taken_for_raw && !now.bytes().is_multiple_of(SECTOR) {
        return Err(Error::NotHandled { path: path.to_owned(), what: NO_DISK });
    }
    let wanted = size.applied_to(now)?;
    let file = File::options().read(true).write(true).open(path).map_err(Error::at(path))?;
    if wanted >= now {
        image.format.grow(&file, path, wanted)?;
    } else if shrink == Shrink::Allow {
        image.format.shrink(&file, path, wanted)?;
    } else {
        return Err(Error::Shrinks { from: now, to: wanted });
    }
    file.sync_all().map_err(Error::at(path))?;
    Ok(wanted)
}

/// The size that a disk is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// This one.
    To(ByteSize),
    /// So much more.
    By(ByteSize),
    /// So much less.
    Less(ByteSize),
}

/// Whether the end of a disk may be cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shrink {
    /// It may.
    Allow,
    /// It must stay.
    Refuse,
}

impl Resize {
    fn applied_to(self, now: ByteSize) -> Result<ByteSize> {
        let bytes = match self {
            Resize::To(size) => Some(size.bytes()),
            Resize::By(more) => now.bytes().checked_add(more.bytes()),
            Resize::Less(less) => now.bytes().checked_sub(less.bytes()),
        };
        bytes.filter(|bytes| i64::try_from(*bytes).is_ok()).map(ByteSize::new).ok_or_else(|| {
            let why = format!("a disk of {now} cannot be changed so much");
            Error::Option { option: "size".to_owned(), why }
        })
    }
}

/// As `qemu-img resize` takes it: `10G`, `+2G`, `-1G`.
impl std::str::FromStr for Resize {
    type Err = crate::SizeError;

    fn from_str(text: &str) -> std::result::Result<Self, crate::SizeError> {
        match text.split_at_checked(1) {
            Some(("+", more)) => more.parse().map(Resize::By),
            Some(("-", less)) => less.parse().map(Resize::Less),
            _ => text.parse().map(Resize::To),
        }
    }
}

fn size_of_backing(path: &Path, backing: &Backing) -> Result<ByteSize> {
    let file = qcow2::resolve(path, &backing.file);
    if fs::metadata(&file).is_err() {
        let (path, backing) = (path.to_owned(), backing.file.display().to_string());
        return Err(Error::Backing { path, backing, why: "is not there" });
    }
    disk::open(&file, Some(&backing.format), References::Follow)
        .map(|disk| ByteSize::new(disk.size()))
}
