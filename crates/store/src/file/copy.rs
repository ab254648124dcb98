//! Bytes of another file of this host: shared with it where the file system can (a reflink), else
//! copied by the kernel. Neither passes through this process, and holes stay holes.

use std::fs::File;
use std::sync::Arc;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::Directory;
use crate::{Result, Written};

/// Bytes copied by one call, at most: between two of them a copy can be given up.
const STRETCH: u64 = 64 * 1024 * 1024;

/// Copies a whole file; `None` where the kernel can't.
pub(super) async fn copy(
    directory: Arc<Directory>,
    name: String,
    from: File,
) -> Result<Option<Written>> {
    let uri = directory.uri(&name);
    let failed = |error| directory.failed(&name, error);
    let partial = super::write::create(directory.clone()).await?;
    let from = Arc::new(from);
    let original = from.clone();
    let share = move || {
        let shared = is_shared(&original, partial.file());
        Ok((partial, original.metadata().map(|metadata| metadata.len()), shared))
    };
    let (mut partial, size, is_shared) = directory.threads.run(share).await?;
    let size = size.map_err(failed)?;
    if !is_shared {
        let mut at = 0;
        while at < size {
            let (source, done) = (from.clone(), at);
            let copied = directory.threads.run(move || {
                let copied = stretch(&source, partial.file(), done, size);
                Ok((partial, copied))
            });
            let copied = copied.await?;
            partial = copied.0;
            at = match copied.1 {
                Ok(end) => end,
                Err(Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                    return Ok(None);
                }
                Err(errno) => return Err(failed(errno.into())),
            };
        }
    }
    let threads = directory.threads.clone();
    let published = directory;
    let publish = move || {
        partial.set_length(size).map_err(|error| published.failed(&name, error))?;
        partial.publish(&name)
    };
    threads.run(publish).await?.keep();
    Ok(Some(Written { uri, size }))
}

/// Whether the new file now shares the blocks of the other (`FICLONE`).
fn is_shared(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

/// Copies what there is from `at` on, to the end of the next stretch of data; returns where the
/// next one is to be looked for.
fn stretch(from: &File, to: &File, at: u64, size: u64) -> Result<u64, Errno> {
    let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
        Ok(start) => start,
        // A hole to the end.
        Err(Errno::NXIO) => return Ok(size),
        Err(errno) => return Err(errno),
    };
    let end = rustix::fs::seek(from, SeekFrom::Hole(start))?.min(start + STRETCH);
    let (mut read, mut written) = (start, start);
    while read < end {
        // At most a stretch, which is far less than a usize holds.
        let wanted = (end - read) as usize;
        if rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), wanted)? == 0
        {
            // The file has become shorter, which nobody may do to an image.
            return Err(Errno::IO);
        }
    }
    Ok(end)
}
