//! Writing a disk without writing its zeros.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// A run of zeros this long, at a multiple of this length, becomes a hole: the largest block of
/// common file systems.
const BLOCK: usize = 64 << 10;

static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// A new file, or the end of one, written front to back; zeros become holes.
///
/// The file's length never exceeds what was written, so a file left behind by a crash is a prefix
/// of the whole.
pub(super) struct SparseFile {
    file: File,
    position: u64,
}

impl SparseFile {
    /// Goes on at the end of `file`.
    pub(super) fn append(file: File) -> io::Result<Self> {
        let position = file.metadata()?.len();
        Ok(Self { file, position })
    }

    /// Brings everything, trailing holes included, to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.set_len(self.position)?;
        self.file.sync_all()
    }

    /// Up to the next block boundary of the file.
    fn first_piece<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        let to_boundary = BLOCK - (self.position % BLOCK as u64) as usize;
        &data[..to_boundary.min(data.len())]
    }

    /// The length of the run at the start of `data` that is all zeros, or all not, by blocks.
    fn run(&self, data: &[u8]) -> (usize, bool) {
        let first = self.first_piece(data);
        let zeros = is_zero(first);
        let rest = data[first.len()..].chunks(BLOCK);
        let more = rest.take_while(|piece| is_zero(piece) == zeros).map(<[u8]>::len);
        (first.len() + more.sum::<usize>(), zeros)
    }
}

impl Write for SparseFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        let (length, zeros) = self.run(data);
        if !zeros {
            self.file.write_all_at(&data[..length], self.position)?;
        }
        self.position += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A comparison with known zeros is the fastest that the standard library has.
fn is_zero(piece: &[u8]) -> bool {
    *piece == ZEROS[..piece.len()]
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn zeros_become_holes_and_read_back_as_zeros() {
        let mut content = vec![7_u8; 100];
        content.resize(20 * BLOCK + 100, 0);
        content.extend([9; 5]);
        content.resize(24 * BLOCK + 5, 0);

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        let file = File::create_new(&path).unwrap();
        let mut sparse = SparseFile::append(file).unwrap();
        // Pieces that fit no boundary.
        for piece in content.chunks(BLOCK + 333) {
            sparse.write_all(piece).unwrap();
        }
        sparse.sync().unwrap();

        let mut read = Vec::new();
        File::open(&path).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == content);
        let allocated = path.metadata().unwrap().blocks() * 512;
        assert!(allocated <= 8 * BLOCK as u64, "{allocated} bytes on disk");
    }

    #[test]
    fn what_is_left_unsynced_is_a_prefix() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        let mut sparse = SparseFile::append(File::create_new(&path).unwrap()).unwrap();
        sparse.write_all(&[1; 10]).unwrap();
        sparse.write_all(&vec![0; 3 * BLOCK]).unwrap();
        drop(sparse);
        assert!(path.metadata().unwrap().len() <= 10 + 3 * BLOCK as u64);
        let read = std::fs::read(&path).unwrap();
        assert_eq!(read[..10], [1; 10]);
        assert!(read[10..].iter().all(|byte| *byte == 0));
    }
}
