//! QEMU's tools, which read what we write and write what we read.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether `qemu-img` is there. A test without it is skipped, and says so.
pub(crate) fn missing() -> bool {
    let missing = Command::new("qemu-img").arg("--version").output().is_err();
    if missing {
        eprintln!("skipped: there is no qemu-img");
    }
    missing
}

/// Runs `qemu-img`; returns its standard output.
pub(crate) fn qemu_img(arguments: &[&str]) -> String {
    let done = Command::new("qemu-img").args(arguments).output().expect("qemu-img runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "qemu-img {}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Lets `qemu-img convert` make an image of a raw disk, with these options.
pub(crate) fn make(options: &[&str], raw: &Path, image: &Path) {
    qemu_img(&[&["convert", "-f", "raw"], options, &[text(raw), text(image)]].concat());
}

/// A temporary folder with files by name.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What a test disk holds: text, noise, and zeros that are written, in that order from each place.
const PLACES: [u64; 6] = [0, 65_536 - 512, 1 << 20, (3 << 20) + 4096, 9 << 20, (16 << 20) - 8192];
pub(crate) const SIZE: u64 = 16 << 20;

/// A sparse raw disk of [`SIZE`] with something of everything.
pub(crate) fn disk(path: &Path) -> Vec<u8> {
    let mut content = vec![0; SIZE as usize];
    let mut state = 7_u64;
    for place in PLACES {
        let end = (place + 300_000).min(SIZE);
        for at in place..end {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            content[at as usize] = match at - place {
                0..100_000 => b"a text that repeats itself "[(at % 27) as usize],
                100_000..250_000 => (state >> 56) as u8,
                _ => 0,
            };
        }
    }
    let file = File::create(path).expect("a file");
    file.set_len(SIZE).expect("its length");
    for place in PLACES {
        let end = (place + 300_000).min(SIZE);
        file.write_all_at(&content[place as usize..end as usize], place).expect("its content");
    }
    assert_eq!(fs::read(path).expect("the file"), content);
    content
}
