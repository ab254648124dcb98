//! The way in: one request for what is small, parts side by side for what is not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use futures::{TryStreamExt, stream};
use reqwest::{Method, Response, header};
use uuid::Uuid;

use super::answer::{escape, failure_in_success, text};
use super::client::{Ask, Payload, Target, UNLESS_THERE};
use crate::remote::{Begun, Failed, Held, MEMORY, Part, Parts, retried, streamed};
use crate::{Error, Result, Source};

/// The limits of multipart uploads ("Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;
pub(super) const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// The largest part that still leaves room for another one beside it.
const LARGEST_PART: u64 = MEMORY / 2;

/// Parts of unknown lengths get larger by half after as many as these, so that the last of them
/// ends where an object's length does, at terabytes.
const STEP: u64 = 1000;

/// What an object says of the upload that it came by, so that an upload whose answer got lost knows
/// what it has stored from what another has.
const MARK: &str = "x-amz-meta-tintype-upload";

/// How objects are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cutting {
    /// From how many bytes on an object is sent in parts.
    pub(super) large: u64,
    /// How many bytes a part has.
    pub(super) part: u64,
    /// How many of them are sent at once, at most.
    pub(super) at_once: usize,
}

impl Cutting {
    /// The length of the part of that number, counted from 0.
    fn length(&self, number: u64, hint: Option<u64>) -> u64 {
        let usual = self.part.clamp(SMALLEST_PART, LARGEST_PART);
        match hint {
            Some(size) => usual.max(size.div_ceil(MOST_PARTS)),
            None => (0..number / STEP).fold(usual, |length, _| length + length / 2),
        }
    }

    /// How many parts of that length memory has room for.
    fn side_by_side(&self, length: u64) -> usize {
        let fit = usize::try_from(MEMORY / length).unwrap_or(1);
        self.at_once.min(fit).max(1)
    }
}

/// An upload that is under way, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) target: Target,
    /// Whether an object may be there that is not to stay.
    begun: Begun,
    /// Whether parts may be there.
    in_parts: Begun,
    /// The service's name for an upload in parts, once it is known.
    id: Arc<OnceLock<String>>,
    /// The value of [`MARK`].
    mark: Arc<str>,
}

impl Upload {
    pub(super) fn to(target: Target) -> Self {
        let mark = Uuid::new_v4().to_string().into();
        let (begun, in_parts) = (Begun::default(), Begun::default());
        Self { target, begun, in_parts, id: Arc::default(), mark }
    }

    /// Sends all of a source; returns how many bytes they were.
    pub(super) async fn send(
        &self,
        cutting: Cutting,
        hint: Option<u64>,
        source: Source,
    ) -> Result<u64> {
        let length = cutting.length(0, hint);
        // What can't be held can't be sent again: that is sent in parts.
        let most = cutting.large.min(MEMORY + 1);
        if let Some(size) = hint.filter(|size| *size > length && *size < most) {
            return self.stream(source, size).await;
        }
        let mut parts = Parts::of(source);
        let first = parts.next(length).await?;
        if first.length < length {
            return self.whole(&first).await;
        }
        self.in_parts(cutting, hint, first, parts).await
    }

    /// An object that is held: it can be sent again.
    async fn whole(&self, part: &Part) -> Result<u64> {
        self.begun.set();
        let headers = [UNLESS_THERE, (MARK, &self.mark)];
        let ask = Ask { headers: &headers, ..Ask::new(Method::PUT) };
        match self.held(&ask, part).await {
            Ok(_) => {}
            Err(error) => self.done_before(error).await?,
        }
        Ok(part.length)
    }

    /// Sends what is held, and again where a failure may pass; also once where nobody answers, for it
    /// may be the connection that hangs.
    async fn held(&self, ask: &Ask<'_>, part: &Part) -> Result<Response> {
        let silent = AtomicBool::new(false);
        let send = || async {
            match self.target.ask(ask, Payload::Part(part)).await {
                Err(Failed::Silent(error)) if !silent.swap(true, Ordering::SeqCst) => {
                    Err(Failed::Passing(error))
                }
                sent => sent,
            }
        };
        retried(send).await
    }

    /// An object that is sent as it comes, and held so that it can be sent again.
    async fn stream(&self, source: Source, size: u64) -> Result<u64> {
        self.begun.set();
        let (held, source) = Held::of(source);
        let mut parts = Parts::of(source);
        let headers = [UNLESS_THERE, (MARK, &self.mark)];
        let ask = Ask { headers: &headers, ..Ask::new(Method::PUT) };
        let request = |body| self.target.ask(&ask, Payload::Stream(body, size));
        let sent = streamed(&mut parts, size, request).await?;
        if sent.may_pass() {
            return self.whole(&held.all(parts, size).await?).await;
        }
        let early = || self.target.failing("an upload is answered before its end");
        sent.stored(Some(size), early).map_err(|error| self.begun.spare_others(error))?;
        parts.expect_end(size).await?;
        Ok(size)
    }

    async fn in_parts(
        &self,
        cutting: Cutting,
        hint: Option<u64>,
        first: Part,
        parts: Parts,
    ) -> Result<u64> {
        self.begun.set();
        self.in_parts.set();
        let id = self.begin().await?;
        let id = self.id.get_or_init(|| id);
        let at_once = cutting.side_by_side(first.length);
        let parts =
            stream::try_unfold((Some(first), parts, 0), |(first, mut parts, number)| async move {
                let part = match first {
                    Some(first) => first,
                    None => parts.next(cutting.length(number, hint)).await?,
                };
                Ok((part.length > 0).then_some(((number + 1, part), (None, parts, number + 1))))
            });
        let sends = parts.map_ok(|(number, part)| self.part(id, number, part));
        let mut sent: Vec<Sent> = sends.try_buffer_unordered(at_once).try_collect().await?;
        sent.sort_by_key(|part| part.number);
        self.complete(id, &sent).await?;
        Ok(sent.iter().map(|part| part.length).sum())
    }

    async fn begin(&self) -> Result<String> {
        let headers = [(MARK, &*self.mark)];
        let ask = Ask { query: &[("uploads", "")], headers: &headers, ..Ask::new(Method::POST) };
        let answer = self.target.ask_again(&ask, None).await?;
        let answer = self.target.text_of(answer).await?;
        let id = text(&answer, "UploadId");
        id.ok_or_else(|| self.target.failing("an upload was begun without an id"))
    }

    async fn part(&self, id: &str, number: u64, part: Part) -> Result<Sent> {
        let text = number.to_string();
        let query = [("partNumber", text.as_str()), ("uploadId", id)];
        let ask = Ask { query: &query, ..Ask::new(Method::PUT) };
        let answer = self.held(&ask, &part).await?;
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.ok_or_else(|| self.target.failing("a part was stored without a tag"))?;
        Ok(Sent { number, tag: tag.to_owned(), length: part.length })
    }

    /// Makes one object of the parts. The answer may be a success that tells of a failure.
    async fn complete(&self, id: &str, sent: &[Sent]) -> Result<()> {
        let parts: String = sent
            .iter()
            .map(|Sent { number, tag, .. }| {
                let tag = escape(tag);
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
            })
            .collect();
        let parts = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let query = [("uploadId", id)];
        let ask = Ask { query: &query, headers: &[UNLESS_THERE], ..Ask::new(Method::POST) };
        match retried(|| self.completed(&ask, &parts)).await {
            Ok(()) => Ok(()),
            Err(error) => self.done_before(error).await,
        }
    }

    async fn completed(&self, ask: &Ask<'_>, parts: &str) -> Result<(), Failed> {
        let answer = self.target.ask(ask, Payload::Text(parts)).await?;
        let answer = self.target.text_of(answer).await.map_err(Failed::Passing)?;
        let target = &self.target;
        failure_in_success(&target.service.store, &target.shown(), &answer).map_or(Ok(()), Err)
    }

    /// An attempt whose answer got lost may have done what the next one can't do any more. Errors:
    /// the one that is given, where it was not this upload; those of looking.
    async fn done_before(&self, error: Error) -> Result<()> {
        match error {
            Error::Exists(_) | Error::NotFound(_) if self.is_stored().await? => Ok(()),
            error => Err(self.begun.spare_others(error)),
        }
    }

    /// Whether the object is the one of this upload.
    async fn is_stored(&self) -> Result<bool> {
        match self.target.ask_again(&Ask::new(Method::HEAD), None).await {
            Ok(found) => Ok(found.headers().get(MARK).is_some_and(|mark| mark == &*self.mark)),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes what was sent. What can't be removed is logged: the next start's sweep has it.
    pub(super) async fn undo(self) {
        if self.in_parts.is_set()
            && let Err(error) = self.target.abort(self.id.get().map(String::as_str)).await
        {
            tracing::error!(%error, "parts of an upload stay");
            // Who is away is not asked again.
            if matches!(error, Error::Unavailable { .. }) {
                return;
            }
        }
        if !self.begun.is_set() {
            return;
        }
        match self.target.remove().await {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => tracing::error!(%error, "an object that is not whole stays"),
        }
    }
}

/// A part that is stored.
struct Sent {
    number: u64,
    tag: String,
    length: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn cutting(part: u64) -> Cutting {
        Cutting { large: 100 * MIB, part: part * MIB, at_once: 10 }
    }

    #[test]
    fn parts_fit_into_memory() {
        for part in [1, 5, 10, 25, 100, 5000] {
            let cutting = cutting(part);
            let length = cutting.length(0, None);
            let held = length * cutting.side_by_side(length) as u64;
            assert!((SMALLEST_PART..=LARGEST_PART).contains(&length) && held <= MEMORY, "{part}");
        }
        assert_eq!(cutting(10).side_by_side(10 * MIB), 4);
    }

    #[test]
    fn no_object_has_too_many_parts() {
        const LARGEST_OBJECT: u64 = 5 << 40;
        let cutting = cutting(10);
        for size in [1, 97 << 30, 98 << 30, LARGEST_OBJECT] {
            let length = cutting.length(0, Some(size));
            assert!(size.div_ceil(length) <= MOST_PARTS, "{size}");
        }
        let unknown: u64 = (0..MOST_PARTS).map(|number| cutting.length(number, None)).sum();
        assert!(unknown > 1 << 40, "{unknown}");
    }
}
