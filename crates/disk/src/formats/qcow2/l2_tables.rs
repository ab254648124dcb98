//! L2 tables, read when they are needed and kept while they are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

/// What the tables that are kept may take.
const KEPT: usize = 8 << 20;

/// The tables that were used last, the very last first.
#[derive(Debug, Default)]
pub(super) struct L2Tables {
    kept: Mutex<Vec<(u64, Arc<Vec<u64>>)>>,
}

impl L2Tables {
    /// The table of `length` bytes at `offset`.
    pub(super) fn get(&self, file: &File, offset: u64, length: usize) -> io::Result<Arc<Vec<u64>>> {
        // Nobody panics while holding it; and a list of tables would still be one.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let table = match kept.iter().position(|(place, _)| *place == offset) {
            Some(index) => kept.remove(index).1,
            None => Arc::new(read(file, offset, length)?),
        };
        kept.insert(0, (offset, Arc::clone(&table)));
        kept.truncate((KEPT / length).max(2));
        Ok(table)
    }
}

/// A table of big-endian numbers.
pub(super) fn read(file: &File, offset: u64, length: usize) -> io::Result<Vec<u64>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    let numbers = bytes.chunks_exact(8).map(|number| crate::view::number::be64(number, 0));
    Ok(numbers.collect())
}
