//! `[source]`: what an image is made from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::document::Document;

/// What an image is made from.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A distribution's packages.
    Packages(PackagesSource),
    /// A disk image that is there already.
    Disk(DiskSource),
}

/// A system that is put together from the packages of Debian or one of its family.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PackagesSource {
    /// The release, by its code name.
    pub suite: String,
    /// What is installed beside the smallest system, a kernel and a boot loader.
    #[serde(default = "cloud_server")]
    pub packages: Vec<String>,
    /// The archive's parts.
    #[serde(default = "main")]
    pub components: Vec<String>,
    /// The kernel's package.
    #[serde(default = "kernel")]
    pub kernel: String,
    /// Where packages are fetched from; what this machine's apt uses when not said.
    pub mirror: Option<String>,
    /// Where the finished system fetches packages from; the same when not said.
    pub mirror_in_image: Option<String>,
    /// Files of packages that are left out, as dpkg's `path-exclude` patterns.
    #[serde(default = "documentation")]
    pub exclude: Vec<String>,
}

/// A disk image file.
#[derive(Clone, Debug, Serialize)]
pub struct DiskSource {
    /// The file.
    pub path: PathBuf,
    /// What its bytes must hash to.
    pub sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDisk {
    disk: Spanned<PathBuf>,
    sha256: Option<Spanned<String>>,
}

/// What an instance needs to find its data, to be reached, and to be managed.
const CLOUD_SERVER: &[&str] = &[
    "acpid",
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "dbus",
    "gdisk",
    "ifupdown",
    "iproute2",
    "isc-dhcp-client",
    "kmod",
    "less",
    "login",
    "netbase",
    "openssh-server",
    "passwd",
    "procps",
    "qemu-guest-agent",
    "sudo",
    "systemd-timesyncd",
    "udev",
];

fn cloud_server() -> Vec<String> {
    CLOUD_SERVER.iter().map(|&package| package.to_owned()).collect()
}

fn main() -> Vec<String> {
    vec!["main".to_owned()]
}

fn kernel() -> String {
    "linux-image-cloud-amd64".to_owned()
}

fn documentation() -> Vec<String> {
    ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"].map(str::to_owned).to_vec()
}

/// The key that says which kind of source it is.
const KINDS: &[&str] = &["suite", "disk"];

/// Takes `[source]`; its kind is the one of [`KINDS`] that it has.
pub(super) fn take(document: &mut Document<'_>, folder: &Path) -> Option<Source> {
    let kinds: Vec<_> = KINDS.iter().filter(|kind| document.has_key("source", kind)).collect();
    match kinds[..] {
        [&"suite"] => document.required("source").map(Source::Packages),
        [_] => disk(document, folder).map(Source::Disk),
        // Without a kind the section cannot be read; what reads like one is pointed at.
        [] if document.point_at_unknown("source", KINDS) => None,
        _ => {
            let message = "[source] needs exactly one of the keys `suite` and `disk`".to_owned();
            let span = document.skip("source");
            document.fault(message, span, Some(format!("it has {}", kinds.len())));
            None
        }
    }
}

fn disk(document: &mut Document<'_>, folder: &Path) -> Option<DiskSource> {
    let raw: RawDisk = document.required("source")?;
    let path = folder.join(raw.disk.get_ref());
    if !path.is_file() {
        let message = format!("there is no file {}", path.display());
        document.fault(message, Some(raw.disk.span()), None);
    }
    let digest = raw.sha256.as_ref().map(Spanned::get_ref);
    if digest.is_some_and(|text| text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit())) {
        let span = raw.sha256.as_ref().map(Spanned::span);
        let message = "a SHA-256 is 64 hexadecimal digits".to_owned();
        document.fault(message, span, None);
    }
    let sha256 = raw.sha256.map(|digest| digest.into_inner().to_ascii_lowercase());
    Some(DiskSource { path, sha256 })
}
