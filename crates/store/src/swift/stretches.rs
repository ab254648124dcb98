//! Large images by what they are stored as: the object itself, or its segments, in ranges.
//!
//! Swift takes the MD5 sum of what is read from its beginning to its end: where it is stored, and of
//! segments once more where the manifest is read. That is most of what a download costs it, and it
//! says nothing of the sum of an object's last bytes, which are sent by then. So segments are read
//! themselves, and all in ranges, of which Swift takes no sums; the sum that it has of each is
//! compared here, before the last bytes of it are handed out.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use openssl::hash::{Hasher, MessageDigest};
use reqwest::Method;

use super::account::{Ask, Listed, Target};
use super::remove::{is_static, of_manifest, text};
use crate::remote::{Answer, Reader, hex};
use crate::{Error, Result};

/// How many bytes a request asks for, at most: enough that requests don't matter.
pub(super) const STEP: u64 = 16 * 1024 * 1024;

/// An image in stretches that follow each other.
pub(super) struct Stretches {
    stretches: Vec<Stretch>,
    retries: u32,
    /// Of the bytes that have passed of a stretch so far, where all have.
    sum: Mutex<Option<Sum>>,
}

/// A range of an image's bytes that is an object.
struct Stretch {
    target: Target,
    range: Range<u64>,
    /// In hexadecimal.
    md5: String,
}

struct Sum {
    /// Where in the image the bytes end that it is of.
    end: u64,
    hasher: Hasher,
}

impl Stretches {
    /// What an object consists of, where that is as many bytes as `length` or more, and has sums:
    /// what another server than Swift may hold, or what a manifest means that lists its segments
    /// itself, has none. Errors: those of asking for the object.
    pub(super) async fn of(target: &Target, retries: u32, length: u64) -> Result<Option<Self>> {
        let head = target.ask_again(&Ask::new(Method::HEAD)).await?;
        let headers = head.headers();
        let size = text(headers, "content-length").and_then(|text| text.parse().ok());
        if is_static(headers) || size.is_none_or(|size| size < length) {
            return Ok(None);
        }
        let objects = match text(headers, "x-object-manifest") {
            None => {
                let tag = text(headers, "etag").unwrap_or_default();
                vec![(target.clone(), size.unwrap_or_default(), tag)]
            }
            Some(manifest) => match segments(target, &manifest).await {
                Ok(segments) => segments,
                // Who may read the object need not be allowed to list others.
                Err(error) => {
                    tracing::debug!(%error, "segments are read by their manifest");
                    return Ok(None);
                }
            },
        };
        let mut stretches: Vec<Stretch> = Vec::with_capacity(objects.len());
        for (target, length, md5) in objects {
            let start = stretches.last().map_or(0, |last| last.range.end);
            stretches.push(Stretch { target, range: start..start + length, md5 });
        }
        // A listing may lag behind what it lists.
        let is_all = stretches.last().map(|last| last.range.end) == size;
        let is_known = is_all && stretches.iter().all(Stretch::has_sum);
        Ok(is_known.then_some(Self { stretches, retries, sum: Mutex::default() }))
    }

    /// The stretch that has a byte.
    fn at(&self, offset: u64) -> &Stretch {
        let before = self.stretches.partition_point(|stretch| stretch.range.end <= offset);
        // What is read is not longer than all of them.
        &self.stretches[before.min(self.stretches.len() - 1)]
    }
}

/// The objects that a manifest means, with their lengths and tags. Errors: those of listing them.
async fn segments(target: &Target, manifest: &str) -> Result<Vec<(Target, u64, String)>> {
    let Some((container, prefix)) = of_manifest(manifest) else { return Ok(Vec::new()) };
    let container = Target { container, ..target.clone() };
    let listed = container.listing(&prefix).await?;
    let segments = listed.into_iter().map(|Listed { name, bytes, hash, slo_etag }| {
        // One that has segments itself has no sum.
        let hash = if slo_etag.is_some() { String::new() } else { hash };
        (container.beside(name), bytes, hash)
    });
    // Of an empty one nothing is read.
    Ok(segments.filter(|(_, bytes, _)| *bytes > 0).collect())
}

impl Stretch {
    fn has_sum(&self) -> bool {
        self.md5.len() == 32 && self.md5.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Whoever reads learns no more than that a download breaks off: so it is logged.
    fn expect(&self, sum: &[u8]) -> Result<()> {
        let sum = hex(sum);
        if sum.eq_ignore_ascii_case(&self.md5) {
            return Ok(());
        }
        let error = self.target.account.failing(format!(
            "{} is damaged: its MD5 sum is {sum}, and was {}",
            self.target.shown(),
            self.md5
        ));
        tracing::error!(%error, "a download breaks off");
        Err(error)
    }
}

#[async_trait]
impl Reader for Stretches {
    fn step(&self, left: Range<u64>) -> Range<u64> {
        let end = self.at(left.start).range.end;
        left.start..left.end.min(end).min(left.start + STEP)
    }

    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        let stretch = self.at(range.start);
        let start = stretch.range.start;
        let (answer, tag) = stretch.target.range(range.start - start..range.end - start).await?;
        match tag.is_none_or(|tag| tag.trim_matches('"') == stretch.md5) {
            true => Ok(answer),
            false => Err(stretch.target.replaced()),
        }
    }

    /// The sum of a piece takes less than it took to come: no thread is asked for it.
    fn look(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let stretch = self.at(offset);
        let failed =
            |error: openssl::error::ErrorStack| stretch.target.account.failing(error.to_string());
        let mut kept = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = kept.take().filter(|sum| sum.end == offset && offset > stretch.range.start);
        let sum = match sum {
            None if offset == stretch.range.start => {
                let hasher = Hasher::new(MessageDigest::md5()).map_err(failed)?;
                Some(Sum { end: offset, hasher })
            }
            sum => sum,
        };
        let Some(mut sum) = sum else { return Ok(()) };
        sum.hasher.update(bytes).map_err(failed)?;
        sum.end += bytes.len() as u64;
        if sum.end == stretch.range.end {
            return stretch.expect(&sum.hasher.finish().map_err(failed)?);
        }
        *kept = Some(sum);
        Ok(())
    }

    fn retries(&self) -> u32 {
        self.retries
    }

    fn short(&self) -> Error {
        self.stretches[0].target.short()
    }
}
