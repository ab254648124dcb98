//! Compressed clusters.

use std::cell::RefCell;
use std::io::Read;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use crate::inspect::InspectError;

/// QEMU inflates with a window of 4 KiB (block/qcow2-threads.c, `inflateInit2(-12)`), so nothing
/// may refer further back.
const WINDOW_BITS: u8 = 12;

/// zlib's own compromise, which `qemu-img` takes too.
const LEVEL: u32 = 6;

thread_local! {
    /// Making one costs more than compressing a small cluster.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new_with_window_bits(
        flate2::Compression::new(LEVEL), false, WINDOW_BITS,
    ));
}

/// A cluster, deflated; none when that would not make it smaller.
pub(crate) fn deflate(cluster: &[u8]) -> Option<Vec<u8>> {
    // Room for what cannot be compressed, too: zlib-rs 0.6 panics when its output runs short while
    // it holds a block that it stores as it is.
    let mut smaller = Vec::with_capacity(cluster.len() + cluster.len() / 8 + 64);
    let status = DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        deflate.compress_vec(cluster, &mut smaller, FlushCompress::Finish)
    });
    let ended = matches!(status, Ok(Status::StreamEnd));
    (ended && smaller.len() < cluster.len()).then_some(smaller)
}

/// A whole cluster out of its compressed form, behind which there may be anything.
pub(super) fn inflate(
    kind: u8,
    compressed: &[u8],
    cluster: usize,
) -> Result<Vec<u8>, InspectError> {
    let whole = if kind == 0 { inflated(compressed, cluster) } else { unzstd(compressed, cluster) };
    whole.filter(|whole| whole.len() == cluster).ok_or_else(|| {
        super::header::malformed("a compressed cluster does not decompress to a whole one")
    })
}

fn inflated(compressed: &[u8], cluster: usize) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(cluster);
    Decompress::new(false).decompress_vec(compressed, &mut whole, FlushDecompress::Finish).ok()?;
    Some(whole)
}

fn unzstd(compressed: &[u8], cluster: usize) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(cluster);
    let decoder = ruzstd::decoding::StreamingDecoder::new(compressed).ok()?;
    decoder.take(cluster as u64).read_to_end(&mut whole).ok()?;
    Some(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Runs of one byte, of noise, and repetitions of what came before, from near and far.
        #[test]
        fn whatever_is_deflated_comes_back(
            runs in proptest::collection::vec((0..3_u8, 1..20_000_usize, any::<u64>()), 1..40),
            bits in 9..19_u32,
        ) {
            let mut cluster = Vec::new();
            for (kind, length, seed) in runs {
                let mut state = seed;
                let from = seed as usize % (cluster.len() + 1);
                for index in 0..length {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let repeated = cluster.get(from + index).copied();
                    cluster.push(match kind {
                        0 => seed as u8,
                        1 => (state >> 56) as u8,
                        _ => repeated.unwrap_or(7),
                    });
                }
            }
            cluster.resize(1 << bits, 0);
            if let Some(smaller) = deflate(&cluster) {
                prop_assert!(smaller.len() < cluster.len());
                prop_assert!(inflate(0, &smaller, cluster.len()).is_ok_and(|whole| whole == cluster));
            }
        }
    }

    #[test]
    fn what_is_deflated_comes_back() {
        let text: Vec<u8> = (0..65536_u32).map(|n| (n / 97 % 251) as u8).collect();
        let mut smaller = deflate(&text).unwrap();
        smaller.extend_from_slice(b"what lies behind it in its sector");
        assert_eq!(inflate(0, &smaller, text.len()).unwrap(), text);
        assert!(inflate(0, &smaller, text.len() + 1).is_err());
        assert!(inflate(0, b"\xff\xff\xff", 512).is_err());
    }

    #[test]
    fn noise_stays_as_it_is() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(4096)
        .collect();
        assert_eq!(deflate(&noise), None);
    }
}
