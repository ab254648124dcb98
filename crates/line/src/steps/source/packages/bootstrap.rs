//! mmdebstrap: packages become a tree, and the tree a file system in the disk's file, all in one
//! run and inside namespaces, so that an ordinary user can do it.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;

use openssl::sha::sha256;
use rustix::io::{FdFlags, fcntl_setfd};
use uuid::Uuid;

use super::archive::Archive;
use super::cache::Cache;
use crate::digest::hex;
use crate::layout::Range;
use crate::recipe::PackagesSource;
use crate::steps::Work;
use crate::{Error, Result, program, tool};

/// From packages to a system; see the file.
const FINISH: &str = include_str!("finish.sh");
/// From a tree to a file system; see the file.
const FILE_SYSTEM: &str = include_str!("file_system.sh");

/// The scripts, as inputs of the step.
pub(super) struct Scripts;

impl Scripts {
    /// What changes when they do.
    pub(super) fn identity() -> String {
        hex(&sha256([FINISH, FILE_SYSTEM].concat().as_bytes()))
    }
}

/// What every system here has: an init, the tools of its boot, GRUB for both firmwares.
const ALWAYS: &[&str] = &[
    "systemd-sysv",
    "initramfs-tools",
    // Without it the initial RAM disk is compressed by gzip: larger, and slower to boot.
    "zstd",
    "grub2-common",
    "grub-pc-bin",
    "grub-efi-amd64-bin",
];

/// dpkg's options while the system is made.
const DPKG: &str = "/etc/dpkg/dpkg.cfg.d/99tintype";

/// Where apt keeps packages inside the tree.
const PACKAGES: &str = "/var/cache/apt/archives";
/// Where apt keeps the archives' indexes.
const INDEXES: &str = "/var/lib/apt/lists";

/// What one run makes.
pub(super) struct Bootstrap<'a> {
    pub(super) source: &'a PackagesSource,
    pub(super) archives: &'a [Archive],
    pub(super) archives_in_image: &'a [Archive],
    /// The root file system's identifier.
    pub(super) root: Uuid,
    /// Where it goes in `disk`.
    pub(super) range: Range,
    pub(super) disk: &'a File,
    pub(super) cache: &'a Cache,
}

/// GRUB's images, of the version that is in the system.
pub(super) struct BootLoaders {
    pub(super) boot: Vec<u8>,
    pub(super) core: Vec<u8>,
    pub(super) efi: Vec<u8>,
}

impl Bootstrap<'_> {
    /// Fills the root file system; gives the boot loaders that belong to it.
    pub(super) fn run(&self, work: &mut Work<'_>) -> Result<BootLoaders> {
        let loaders = work.folder().join("grub");
        std::fs::create_dir_all(&loaders).map_err(Error::at(&loaders))?;
        let command = self.command(&loaders);
        let cancel = work.cancel().clone();
        let result = {
            let _inherited = Inherited::by_children(self.disk)?;
            let mut tell = |line: &str| said(line).into_iter().for_each(|said| work.note(said));
            program::run(command, &mut tell, &cancel)
        };
        result?;
        let read = |name: &str| {
            let path = loaders.join(name);
            std::fs::read(&path).map_err(Error::at(&path))
        };
        let loaded = BootLoaders {
            boot: read("boot.img")?,
            core: read("core.img")?,
            efi: read("BOOTX64.EFI")?,
        };
        std::fs::remove_dir_all(&loaders).map_err(Error::at(&loaders))?;
        Ok(loaded)
    }

    fn command(&self, loaders: &Path) -> Command {
        let mut command = started();
        command.args(["--variant=minbase", "--format=null", "--architectures=amd64"]);
        // The tree is gone when mmdebstrap would clean it; packages in the cache are used and kept.
        command.arg("--skip=cleanup,download/empty,essential/unlink");
        command.arg(format!("--include={}", self.packages()));
        for option in ["Acquire::Languages \"none\"", "APT::Install-Recommends \"false\""] {
            command.arg(format!("--aptopt={option}"));
        }
        for hook in self.before() {
            command.arg(format!("--setup-hook={hook}"));
        }
        for hook in self.after(loaders) {
            command.arg(format!("--customize-hook={hook}"));
        }
        command.arg(&self.source.suite).arg("/dev/null");
        command.args(self.archives.iter().map(Archive::line));
        self.environment(&mut command);
        command
    }

    fn packages(&self) -> String {
        let own = self.source.packages.iter().map(String::as_str);
        let all: Vec<&str> =
            ALWAYS.iter().copied().chain([&*self.source.kernel]).chain(own).collect();
        all.join(",")
    }

    /// The disk is synchronized once, at the end: dpkg need not do it for each file.
    fn dpkg(&self) -> String {
        let exclude = self.source.exclude.iter();
        let exclude = exclude.map(|pattern| format!("path-exclude={pattern}\n"));
        "force-unsafe-io\n".to_owned() + &exclude.collect::<String>()
    }

    /// mmdebstrap(1) documents this way to keep packages between runs, in the words
    /// `download/empty` and `essential/unlink`.
    fn before(&self) -> Vec<String> {
        vec![
            format!("mkdir -p \"$1{PACKAGES}\" \"$1{INDEXES}\" \"$1$(dirname {DPKG})\""),
            // Not by --dpkgopt: for that, mmdebstrap filters every package once more, for 9 s.
            format!("printf %s \"$TINTYPE_DPKG\" >\"$1{DPKG}\""),
            format!("sync-in {} {PACKAGES}", quoted(&self.cache.packages())),
            format!("sync-in {} {INDEXES}", quoted(&self.cache.indexes())),
        ]
    }

    fn after(&self, loaders: &Path) -> Vec<String> {
        let get =
            |inside: &str, name: &str| format!("download {inside} {}", quoted(&loaders.join(name)));
        vec![
            r#"sh -c "$TINTYPE_FINISH" finish "$1""#.to_owned(),
            get("/boot/grub/i386-pc/boot.img", "boot.img"),
            get("/boot/grub/i386-pc/core.img", "core.img"),
            get("/tmp/BOOTX64.EFI", "BOOTX64.EFI"),
            // What no archive has any more is not worth keeping.
            "chroot \"$1\" apt-get -qq autoclean; rm -rf \"$1\"/var/cache/apt/archives/partial \
             \"$1\"/var/cache/apt/archives/lock \"$1\"/var/lib/apt/lists/partial \
             \"$1\"/var/lib/apt/lists/lock \"$1\"/var/lib/apt/lists/auxfiles"
                .to_owned(),
            format!("sync-out {PACKAGES} {}", quoted(&self.cache.fresh_packages())),
            format!("sync-out {INDEXES} {}", quoted(&self.cache.fresh_indexes())),
            r#"sh -c "$TINTYPE_FILE_SYSTEM" file-system "$1""#.to_owned(),
        ]
    }

    fn environment(&self, command: &mut Command) {
        let lines = |archives: &[Archive]| {
            archives.iter().map(|archive| archive.line() + "\n").collect::<String>()
        };
        command
            .env("PATH", tool::search_path())
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            // The kernel's package and a trigger would each make an initial RAM disk, for 7 s;
            // finish.sh makes it, once.
            .env("INITRD", "No")
            .env("TINTYPE_DPKG", self.dpkg())
            .env("TINTYPE_EXCLUDE", self.source.exclude.join("\n"))
            // As variables: mmdebstrap shows a hook's text at every chance.
            .env("TINTYPE_FINISH", FINISH)
            .env("TINTYPE_FILE_SYSTEM", FILE_SYSTEM)
            .env("TINTYPE_SOURCES", lines(self.archives_in_image))
            .env("TINTYPE_ROOT", self.root.to_string())
            .env("TINTYPE_OFFSET", self.range.offset().to_string())
            .env("TINTYPE_KIBIBYTES", (self.range.length() >> 10).to_string())
            // By its number, not by its path: in its namespace mmdebstrap is somebody who cannot
            // enter a user's own folders.
            .env("TINTYPE_DISK", format!("/proc/self/fd/{}", self.disk.as_raw_fd()));
    }
}

/// As root, too, in a mount namespace of its own: whatever happens to it, no mount stays behind.
fn started() -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("unshare");
        command.args(["--mount", "mmdebstrap", "--mode=root"]);
        return command;
    }
    let mut command = Command::new("mmdebstrap");
    command.arg("--mode=unshare");
    command
}

/// A file that programs we start inherit, as long as this lives.
struct Inherited<'f>(&'f File);

impl<'f> Inherited<'f> {
    fn by_children(file: &'f File) -> Result<Self> {
        fcntl_setfd(file, FdFlags::empty())
            .map_err(|why| Error::doing("handing a file to a program")(why.into()))?;
        Ok(Inherited(file))
    }
}

impl Drop for Inherited<'_> {
    fn drop(&mut self) {
        // The flag cannot be refused on an open file.
        let _ = fcntl_setfd(self.0, FdFlags::CLOEXEC);
    }
}

/// mmdebstrap reads its special hooks with the shell's rules for words.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// What mmdebstrap says of itself rather than of the system that it makes.
const NO_NEWS: &[&str] = &[
    "running --",
    "running special hook",
    "skipping",
    "using /",
    "removing tempdir",
    "success in",
    "finding correct",
    "chroot architecture",
];

/// mmdebstrap marks what it does with `I: `; the hooks, which it shows whole, are among it.
fn said(line: &str) -> Option<&str> {
    let said = line.strip_prefix("I: ")?.trim_end_matches("...");
    (!NO_NEWS.iter().any(|start| said.starts_with(start))).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_are_told() {
        for (line, told) in [
            ("I: extracting archives...", Some("extracting archives")),
            ("I: running --customize-hook in shell: sh -c 'set -e", None),
            ("Setting up udev (252)", None),
        ] {
            assert_eq!(said(line), told);
        }
    }

    #[test]
    fn any_path_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
