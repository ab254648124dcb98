//! A disk becomes an image: read, thinned out, compressed where asked for, and written, at once.
//!
//! One thread walks over what the source holds, one for each processor reads and compresses, and
//! the caller's writes. Batches go to the workers in turn and are written in the same order, so
//! that neither side keeps more than a few of them.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use crate::create::{Compression, Options};
use crate::disk::{Disk, ExtentKind};
use crate::error::{Error, Result};
use crate::formats::{self, qcow2};
use crate::fresh::Fresh;
use crate::size::ByteSize;

/// What is read at once; a multiple of every cluster's size.
const BATCH: u64 = 2 << 20;

/// Zeros of this length are left out, at least; less would scatter the image.
const GRANULE: u64 = 64 << 10;

/// Batches that wait for each worker, on each side of it.
const AHEAD: usize = 1;

/// An image that is being written.
pub(crate) trait Writer {
    /// Writes what is not zero. Chunks come in the order of the disk.
    fn write(&mut self, chunk: &Chunk) -> io::Result<()>;

    /// Writes what the image needs beside its content.
    fn finish(&mut self) -> io::Result<()>;
}

/// A part of a disk that holds something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Where it is, a multiple of the granule.
    pub(crate) offset: u64,
    /// Its bytes: whole granules, but at the disk's end; or one cluster, compressed.
    pub(crate) data: Vec<u8>,
    /// Whether they are compressed.
    pub(crate) compression: Compression,
}

/// What becomes of a batch on its way.
#[derive(Clone, Copy)]
struct Encoding {
    granule: u64,
    compression: Compression,
}

/// Bytes of the disk that are done, and all of them.
pub type Watch<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// Writes a disk into a new image. `watch` is told how far it is and may end it. The image appears
/// under its name when it is whole; a file that was there is replaced then.
///
/// # Errors
/// What reading the source and writing the image say; [`Error::Cancelled`].
pub fn convert(
    source: &dyn Disk,
    path: &Path,
    format: &str,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<()> {
    let format = formats::named(format)?;
    let fresh = Fresh::beside(path)?;
    let size = ByteSize::new(source.size());
    let mut writer = format.write(fresh.file()?, path, size, options)?;
    let granule = if format.name() == "raw" { GRANULE } else { options.cluster_size };
    let encoding = Encoding { granule, compression: options.compression };
    pump(source, encoding, writer.as_mut(), path, watch)?;
    writer.finish().map_err(Error::at(path))?;
    fresh.commit()
}

/// A batch's place, and what came of it.
type Batch = (u64, u64);
type Encoded = Result<(u64, Vec<Chunk>)>;

fn pump(
    source: &dyn Disk,
    encoding: Encoding,
    writer: &mut dyn Writer,
    path: &Path,
    watch: &mut Watch<'_>,
) -> Result<()> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let mut queues = Vec::new();
        let mut results = Vec::new();
        for _ in 0..workers {
            let (queue, batches) = mpsc::sync_channel(AHEAD);
            let (result, encoded) = mpsc::sync_channel(AHEAD);
            scope.spawn(move || work(source, encoding, &batches, &result));
            queues.push(queue);
            results.push(encoded);
        }
        // Should the writer fail, `results` is dropped, and workers and walker find nobody to
        // send to.
        let walker = scope.spawn(move || walk(source, &queues));
        let mut done = 0;
        let written =
            results.iter().cycle().map_while(|result| result.recv().ok()).try_for_each(|encoded| {
                let (end, chunks) = encoded?;
                chunks.iter().try_for_each(|chunk| writer.write(chunk)).map_err(Error::at(path))?;
                done = end;
                go_on(watch(done, source.size()))
            });
        drop(results);
        let walked = walker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.and(walked)?;
        go_on(watch(source.size(), source.size()))
    })
}

fn go_on(flow: ControlFlow<()>) -> Result<()> {
    if flow.is_break() { Err(Error::Cancelled) } else { Ok(()) }
}

/// Hands out batches with content to the workers, in turn.
fn walk(source: &dyn Disk, queues: &[SyncSender<Batch>]) -> Result<()> {
    let mut turns = queues.iter().cycle();
    let (mut offset, size) = (0, source.size());
    while offset < size {
        let zeros = zeros(source, offset)?;
        if offset + zeros == size {
            break;
        }
        // What begins within a batch is read with the zeros before it.
        offset += zeros - zeros % BATCH;
        let length = BATCH.min(size - offset);
        // Workers are gone when the writer has given up, who says why.
        let sent = turns.next().is_some_and(|queue| queue.send((offset, length)).is_ok());
        if !sent {
            break;
        }
        offset += length;
    }
    Ok(())
}

/// How far there is nothing but zeros.
fn zeros(source: &dyn Disk, offset: u64) -> Result<u64> {
    let mut end = offset;
    while end < source.size() {
        let extent = source.extent(end)?;
        if extent.kind == ExtentKind::Data {
            break;
        }
        end += extent.length;
    }
    Ok(end.min(source.size()) - offset)
}

fn work(
    source: &dyn Disk,
    encoding: Encoding,
    batches: &Receiver<Batch>,
    result: &SyncSender<Encoded>,
) {
    for (offset, length) in batches {
        let encoded = encode(source, encoding, offset, length);
        if result.send(encoded).is_err() {
            break;
        }
    }
}

/// Reads a batch and keeps what is not zero.
fn encode(source: &dyn Disk, encoding: Encoding, offset: u64, length: u64) -> Encoded {
    let mut data = vec![0; length as usize];
    source.read_at(&mut data, offset)?;
    let mut chunks: Vec<Chunk> = Vec::new();
    let granule = encoding.granule as usize;
    for (index, granule_data) in data.chunks(granule).enumerate() {
        if is_zero(granule_data) {
            continue;
        }
        let offset = offset + (index * granule) as u64;
        match compressed(granule_data, encoding) {
            Some(data) => chunks.push(Chunk { offset, data, compression: Compression::Deflate }),
            None => append(&mut chunks, offset, granule_data),
        }
    }
    Ok((offset + length, chunks))
}

/// A whole cluster, smaller; none when it does not become so. The disk's last cluster is filled up.
fn compressed(cluster: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    if encoding.compression == Compression::None {
        return None;
    }
    let mut whole = cluster.to_vec();
    whole.resize(encoding.granule as usize, 0);
    qcow2::deflate(&whole)
}

/// Neighbours that are not compressed are written at once.
fn append(chunks: &mut Vec<Chunk>, offset: u64, data: &[u8]) {
    match chunks.last_mut() {
        Some(last)
            if last.compression == Compression::None
                && last.offset + last.data.len() as u64 == offset =>
        {
            last.data.extend_from_slice(data);
        }
        _ => chunks.push(Chunk { offset, data: data.to_vec(), compression: Compression::None }),
    }
}

/// Whether all bytes are zero. Wide steps, which the compiler turns into vectors.
fn is_zero(bytes: &[u8]) -> bool {
    let mut blocks = bytes.chunks_exact(256);
    blocks.by_ref().all(|block| block.iter().fold(0, |found, byte| found | byte) == 0)
        && blocks.remainder().iter().all(|byte| *byte == 0)
}
