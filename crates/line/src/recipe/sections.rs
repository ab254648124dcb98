//! The sections of a recipe that are plain data.

use std::collections::BTreeMap;
use std::time::Duration;

use disk::ByteSize;
use serde::{Deserialize, Deserializer, Serialize};

/// `[image]`: what the image is. What is not said is found inside it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The image's name, also the name of its file.
    #[serde(deserialize_with = "file_name")]
    pub name: String,
    /// The distribution, as libosinfo and OpenStack's `os_distro` name it.
    pub os_distro: Option<String>,
    /// The distribution's version.
    pub os_version: Option<String>,
    /// `linux` or `windows`.
    pub os_type: Option<String>,
    /// The processor's architecture, as OpenStack names it: `x86_64`.
    pub architecture: Option<String>,
}

/// `[disk]`: the disk inside.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Disk {
    /// Its size; a source that is a disk is enlarged to it, never shrunk.
    pub size: Option<ByteSize>,
}

/// `[boot]`: the proof that the image works.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Boot {
    /// How the instance is told its name and keys; one boot for each. None: no proof.
    pub seeds: Vec<Seed>,
    /// How long one boot may take; what is usual for the machine when not said.
    #[serde(deserialize_with = "duration")]
    pub timeout: Option<Duration>,
    /// The user who must be able to log in; any when not said.
    pub user: Option<String>,
}

/// Where an instance finds its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seed {
    /// A disk labelled CIDATA.
    #[serde(rename = "nocloud")]
    NoCloud,
    /// A disk labelled config-2, as Nova makes it.
    ConfigDrive,
}

/// `[convert]`: the file that comes out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Convert {
    /// Its format.
    pub format: Format,
    /// Whether its clusters are compressed; qcow2 only.
    pub compress: Compression,
}

/// A format of image files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The disk's bytes.
    Raw,
    /// QEMU's format.
    Qcow2,
}

/// Whether to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "bool", into = "bool")]
pub enum Compression {
    /// Smaller, and slower to make.
    Compressed,
    /// As it is.
    Plain,
}

/// `[publish]`: the image service that gets the file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// The cloud in `clouds.yaml`; what the environment means when not said.
    pub cloud: Option<String>,
    /// The image's name there; `[image] name` when not said.
    pub name: Option<String>,
    /// Who sees it; what the service does by itself when not said.
    pub visibility: Option<Visibility>,
    /// The smallest disk of an instance, in GiB; the image's own size when not said.
    pub min_disk: Option<u64>,
    /// The smallest memory of an instance, in MiB.
    pub min_ram: Option<u64>,
    /// More properties; they win over those that were found.
    pub properties: BTreeMap<String, String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// Who sees an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Its project.
    Private,
    /// Its project and those it is shared with.
    Shared,
    /// Everybody who asks for it.
    Community,
    /// Everybody.
    Public,
}

impl Default for Boot {
    fn default() -> Self {
        Boot { seeds: vec![Seed::NoCloud, Seed::ConfigDrive], timeout: None, user: None }
    }
}

impl Default for Convert {
    fn default() -> Self {
        Convert { format: Format::Qcow2, compress: Compression::Compressed }
    }
}

impl Format {
    /// The name, and the ending of file names.
    pub fn name(self) -> &'static str {
        match self {
            Format::Raw => "raw",
            Format::Qcow2 => "qcow2",
        }
    }
}

impl Visibility {
    /// The Image API's word.
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Shared => "shared",
            Visibility::Community => "community",
            Visibility::Public => "public",
        }
    }
}

impl From<bool> for Compression {
    fn from(compress: bool) -> Self {
        if compress { Compression::Compressed } else { Compression::Plain }
    }
}

impl From<Compression> for bool {
    fn from(compression: Compression) -> Self {
        compression == Compression::Compressed
    }
}

fn file_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let bad = |c: char| c == '/' || c.is_control();
    if name.is_empty() || name.starts_with('.') || name.len() > 200 || name.contains(bad) {
        let what = "a name is 1 to 200 bytes without `/`, and does not start with a dot";
        return Err(serde::de::Error::custom(what));
    }
    Ok(name)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok());
    match parsed {
        Some(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(serde::de::Error::custom(format!(
            "`{text}` is not a time; write \"10m\" or \"90s\""
        ))),
    }
}
