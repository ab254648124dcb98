//! The way in: one object, or segments and a manifest, as Glance cuts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Method;
use uuid::Uuid;

use super::account::{Ask, Target};
use crate::remote::{Begun, Outgoing, Parts, encode, retried, streamed};
use crate::{Error, Result, Source};

/// How objects are cut, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cutting {
    /// From this length on an object is in segments, and where its length is not known.
    pub(super) large: u64,
    /// How long a segment is.
    pub(super) segment: u64,
}

/// An upload that is under way, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Upload {
    target: Target,
    /// Whether the object may be there and is not to stay.
    begun: Begun,
    /// How many segments were begun.
    segments: Arc<AtomicU64>,
    /// The value of [`MARK`].
    mark: Arc<str>,
}

impl Upload {
    pub(super) fn to(target: Target) -> Self {
        let mark = Uuid::new_v4().to_string().into();
        Self { target, begun: Begun::default(), segments: Arc::default(), mark }
    }

    /// Sends all of a source; returns how many bytes they were.
    pub(super) async fn send(
        &self,
        cutting: Cutting,
        hint: Option<u64>,
        source: Source,
    ) -> Result<u64> {
        let mut parts = Parts::of(source);
        match hint.filter(|size| *size < cutting.large) {
            Some(size) => self.whole(&mut parts, size).await,
            None => self.in_segments(&mut parts, cutting, hint).await,
        }
    }

    async fn whole(&self, parts: &mut Parts, size: u64) -> Result<u64> {
        self.target.account.grant().await?;
        self.begun.set();
        let sent = send(parts, &self.target, Some(size), size, true).await;
        sent.map_err(|error| self.begun.spare_others(error))?;
        parts.expect_end(size).await?;
        Ok(size)
    }

    async fn in_segments(
        &self,
        parts: &mut Parts,
        cutting: Cutting,
        hint: Option<u64>,
    ) -> Result<u64> {
        self.begun.set();
        // Of an upload that a crash ended: the manifest would mean them too.
        self.target.remove_segments(0).await?;
        let mut size = 0;
        for number in 1.. {
            let Some(piece) = parts.piece().await? else { break };
            parts.again(piece);
            self.segments.store(number, Ordering::SeqCst);
            let left = hint.map(|hint| hint.saturating_sub(size).min(cutting.segment));
            // Beyond what was said to come, there is nothing to be said of the length.
            let length = left.filter(|left| *left > 0);
            // A token that ends in the middle of a segment ends no transfer: it is read at the
            // beginning of one.
            self.target.account.grant().await?;
            let segment = self.target.segment(number);
            let most = length.unwrap_or(cutting.segment);
            size += send(parts, &segment, length, most, false).await?;
        }
        self.manifest().await?;
        Ok(size)
    }

    async fn manifest(&self) -> Result<()> {
        let target = &self.target;
        let (container, object) = (encode(&target.container, b""), encode(&target.object, b""));
        let manifest = format!("{container}/{object}-");
        let headers =
            [("x-object-manifest", manifest.as_str()), TYPE, UNLESS_THERE, (MARK, &*self.mark)];
        let ask = Ask { headers: &headers, ..Ask::new(Method::PUT) };
        match retried(|| target.ask(&ask, None)).await {
            Ok(_) => Ok(()),
            // An attempt whose answer got lost may have made it.
            Err(Error::Exists(_)) if self.is_stored().await? => Ok(()),
            Err(error) => Err(self.begun.spare_others(error)),
        }
    }

    /// Whether the manifest is the one of this upload.
    async fn is_stored(&self) -> Result<bool> {
        match self.target.ask_again(&Ask::new(Method::HEAD)).await {
            Ok(found) => Ok(found.headers().get(MARK).is_some_and(|mark| mark == &*self.mark)),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes what was sent. What can't be removed is logged: the next start's sweep has it.
    pub(super) async fn undo(self) {
        if !self.begun.is_set() {
            return;
        }
        let segments = self.target.remove_segments(self.segments.load(Ordering::SeqCst)).await;
        if let Err(error) = segments {
            tracing::error!(%error, "segments of an upload stay");
            // Who is away is not asked again.
            if matches!(error, Error::Unavailable { .. }) {
                return;
            }
        }
        match self.target.remove_only().await {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => tracing::error!(%error, "an object that is not whole stays"),
        }
    }
}

/// What a manifest says of the upload that it came by, so that an upload whose answer got lost knows
/// what it has stored from what another has.
const MARK: &str = "x-object-meta-tintype-upload";

/// As the Image API has it for an image's bytes: clients that are sent to an object look for it. RADOS
/// Gateways would call it `binary/octet-stream`.
pub(super) const TYPE: (&str, &str) = ("content-type", "application/octet-stream");

/// Of two writers, the second one is refused.
const UNLESS_THERE: (&str, &str) = ("if-none-match", "*");

/// Sends the next bytes as they come, once: `length` of them, or up to `most` where it is not
/// known. Returns how many they were.
async fn send(
    parts: &mut Parts,
    target: &Target,
    length: Option<u64>,
    most: u64,
    alone: bool,
) -> Result<u64> {
    let text = length.map(|length| length.to_string());
    let mut headers: Vec<_> = text.iter().map(|text| ("content-length", text.as_str())).collect();
    headers.extend(alone.then_some([TYPE, UNLESS_THERE]).into_iter().flatten());
    let ask = Ask { headers: &headers, ..Ask::new(Method::PUT) };
    let request = |body: Outgoing| target.ask(&ask, Some(body));
    let early = || target.account.failing("an upload is answered before its end");
    streamed(parts, most, request).await?.stored(length, early)
}
