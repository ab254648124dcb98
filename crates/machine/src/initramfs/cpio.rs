//! The archive format that the kernel unpacks: cpio "newc"
//! (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst).

use std::io::{self, Write};

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// The name that ends an archive.
const END: &str = "TRAILER!!!";

/// An archive that is being written. Owners are root, times are zero: the same content gives the
/// same bytes.
pub(super) struct Archive<W> {
    to: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(to: W) -> Self {
        Archive { to, entries: 0 }
    }

    pub(super) fn folder(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, FOLDER, (0, 0), &[])
    }

    pub(super) fn file(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.entry(name, FILE, (0, 0), content)
    }

    pub(super) fn program(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.entry(name, PROGRAM, (0, 0), content)
    }

    pub(super) fn character_device(
        &mut self,
        name: &str,
        major: u32,
        minor: u32,
    ) -> io::Result<()> {
        self.entry(name, CHARACTER_DEVICE, (major, minor), &[])
    }

    /// Ends the archive and hands back what it was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.entry(END, 0, (0, 0), &[])?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn entry(
        &mut self,
        name: &str,
        mode: u32,
        (major, minor): (u32, u32),
        content: &[u8],
    ) -> io::Result<()> {
        self.entries += 1;
        let size = u32::try_from(content.len()).map_err(io::Error::other)?;
        let name_size = u32::try_from(name.len() + 1).map_err(io::Error::other)?;
        let fields = [
            self.entries, // inode
            mode,
            0, // owner
            0, // group
            1, // links
            0, // time
            size,
            0, // device
            0,
            major,
            minor,
            name_size,
            0, // checksum: none in this variant
        ];
        self.to.write_all(b"070701")?;
        for field in fields {
            write!(self.to, "{field:08x}")?;
        }
        self.to.write_all(name.as_bytes())?;
        // The header has 110 bytes; names and contents end at multiples of four.
        self.pad(110 + name.len() + 1, 1)?;
        self.to.write_all(content)?;
        self.pad(content.len(), 0)
    }

    fn pad(&mut self, length: usize, at_least: usize) -> io::Result<()> {
        let zeros = length.next_multiple_of(4) - length + at_least;
        self.to.write_all(&[0; 4][..zeros])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    fn archive() -> Vec<u8> {
        let mut archive = Archive::new(Vec::new());
        archive.folder("dev").unwrap();
        archive.character_device("dev/console", 5, 1).unwrap();
        archive.program("init", b"abc").unwrap();
        archive.finish().unwrap()
    }

    #[test]
    fn entries_are_headers_names_and_contents_padded_to_four() {
        let archive = archive();
        assert_eq!(archive.len() % 4, 0);
        assert!(archive.starts_with(b"070701"));
        // "dev" and its zero byte end at 114; two more make 116.
        assert_eq!(&archive[110..116], b"dev\0\0\0");
        assert_eq!(&archive[116..122], b"070701");
        let text = String::from_utf8_lossy(&archive).into_owned();
        assert!(text.contains("init\0\0abc\x00070701"), "{text:?}");
    }

    #[test]
    fn cpio_lists_the_entries() {
        let listing = Command::new("cpio")
            .args(["-t", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut listing) = listing else {
            println!("skipped: cpio is not installed");
            return;
        };
        listing.stdin.take().unwrap().write_all(&archive()).unwrap();
        let output = listing.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "dev\ndev/console\ninit\n");
    }
}
