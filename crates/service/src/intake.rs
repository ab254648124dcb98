//! An upload's body on its way to the store: gathered into pieces worth handing on, inspected,
//! counted and digested as it passes.

use std::mem;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use disk::{InspectError, Inspector};
use futures::stream::{self, StreamExt};
use http_body_util::BodyExt;
use image::DataHashes;
use store::{PIECE, Source, SourceError};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::digest::{self, Digests};

/// Why an upload ends before its bytes do.
#[derive(Debug, Error)]
pub(crate) enum Refused {
    #[error("the client went away: {0}")]
    Gone(#[source] axum::Error),
    #[error("no data came for {0:?}")]
    Silent(Duration),
    #[error(
        "The incoming image is too large: The provided image is too large. At most {0} bytes are \
         allowed."
    )]
    TooLarge(u64),
    #[error(
        "Image exceeds the storage quota: The size of the data {} will exceed the limit. \
         {remaining} bytes remaining.",
        size.map_or_else(|| "None".to_owned(), |size| size.to_string())
    )]
    OverQuota { size: Option<u64>, remaining: i128 },
    #[error("Size exceeds: expected {announced} bytes, got {passed} bytes")]
    Longer { announced: i64, passed: u64 },
    #[error("Size mismatch: expected {announced} bytes, got {passed} bytes")]
    Shorter { announced: i64, passed: u64 },
    #[error(transparent)]
    Unsafe(#[from] disk::InspectError),
    #[error(transparent)]
    Digest(#[from] digest::Failed),
}

/// What is known of the bytes once all have passed.
pub(crate) struct Facts {
    pub(crate) hashes: DataHashes,
    pub(crate) virtual_size: Option<u64>,
}

/// Bounds on an upload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes at most.
    pub(crate) size: u64,
    /// How many the client says that there are.
    pub(crate) announced: Option<i64>,
    /// Bytes that the owner's quota leaves, below zero where it was lowered; `None` without one.
    pub(crate) quota: Option<i128>,
    /// Silence at most.
    pub(crate) idle: Duration,
    /// Whether bytes that are not of the declared format are refused.
    pub(crate) must_match: bool,
}

impl Bounds {
    /// Refuses bytes that are too many: all of them, where it is known how many they are. Where it
    /// is not, only when there is room for none.
    pub(crate) fn expect_room(&self, size: Option<u64>) -> Result<(), Refused> {
        if size.is_some_and(|size| size > self.size) {
            return Err(Refused::TooLarge(self.size));
        }
        let Some(remaining) = self.quota else { return Ok(()) };
        match size.map_or(remaining <= 0, |size| i128::from(size) > remaining) {
            true => Err(Refused::OverQuota { size, remaining }),
            false => Ok(()),
        }
    }

    /// Refuses what is more than was said.
    fn expect_announced(&self, passed: u64) -> Result<(), Refused> {
        match self.announced {
            Some(announced) if i128::from(passed) > i128::from(announced) => {
                Err(Refused::Longer { announced, passed })
            }
            _ => Ok(()),
        }
    }

    /// Refuses what is not as much as was said, at its end.
    fn expect_all_announced(&self, passed: u64) -> Result<(), Refused> {
        match self.announced {
            Some(announced) if i128::from(passed) != i128::from(announced) => {
                Err(Refused::Shorter { announced, passed })
            }
            _ => Ok(()),
        }
    }

    /// Refuses what an inspection found, unless it only means that the bytes are of another format
    /// and that does not matter here.
    fn expect_harmless(&self, why: InspectError) -> Result<(), Refused> {
        let is_harm = matches!(why, InspectError::Refers { .. } | InspectError::Partitions(_));
        if self.must_match || is_harm {
            return Err(why.into());
        }
        tracing::warn!(%why, "image data is not of the declared format");
        Ok(())
    }

    /// Refuses once too many have passed, of bytes whose end is not known.
    fn expect_room_for_passed(&self, passed: u64) -> Result<(), Refused> {
        self.expect_room(Some(passed)).map_err(|why| match why {
            Refused::OverQuota { remaining, .. } => Refused::OverQuota { size: None, remaining },
            why => why,
        })
    }
}

/// The body while it passes.
pub(crate) struct Intake {
    body: Body,
    gathered: BytesMut,
    passed: u64,
    bounds: Bounds,
    inspector: Option<Inspector>,
    digests: Option<Digests>,
    facts: oneshot::Sender<Facts>,
}

impl Intake {
    /// A source for a store, and what will be known once the store has taken all of it. The body
    /// is not read before the store asks for it: back-pressure reaches the client.
    pub(crate) fn start(
        body: Body,
        bounds: Bounds,
        inspector: Option<Inspector>,
        digests: Digests,
    ) -> (Source, oneshot::Receiver<Facts>) {
        let (facts, known) = oneshot::channel();
        let digests = Some(digests);
        let gathered = BytesMut::new();
        let intake = Self { body, gathered, passed: 0, bounds, inspector, digests, facts };
        (intake.source(), known)
    }

    /// A source of which nothing is to be known afterwards.
    pub(crate) fn plain(body: Body, bounds: Bounds) -> Source {
        let (facts, _) = oneshot::channel();
        let gathered = BytesMut::new();
        let (inspector, digests) = (None, None);
        Self { body, gathered, passed: 0, bounds, inspector, digests, facts }.source()
    }

    fn source(self) -> Source {
        let source = stream::unfold(Some(self), |intake| async {
            let mut intake = intake?;
            match intake.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(intake))),
                Ok(None) => intake.finish().await.err().map(|why| (Err(why.into()), None)),
                Err(why) => Some((Err(SourceError::from(why)), None)),
            }
        });
        source.boxed()
    }

    /// The next piece, inspected and on its way to the digests.
    async fn next(&mut self) -> Result<Option<Bytes>, Refused> {
        let Some(piece) = self.gather().await? else { return Ok(None) };
        self.passed += piece.len() as u64;
        self.bounds.expect_announced(self.passed)?;
        self.bounds.expect_room_for_passed(self.passed)?;
        let inspected =
            self.inspector.as_mut().map_or(Ok(()), |inspector| inspector.update(&piece));
        if let Err(why) = inspected {
            self.bounds.expect_harmless(why)?;
            self.inspector = None;
        }
        if let Some(digests) = &self.digests {
            digests.update(&piece).await;
        }
        Ok(Some(piece))
    }

    /// Small frames are put together up to a piece; large ones go on as they are, uncopied.
    async fn gather(&mut self) -> Result<Option<Bytes>, Refused> {
        while self.gathered.len() < PIECE {
            let Some(frame) = self.frame().await? else { break };
            if self.gathered.is_empty() && frame.len() >= PIECE / 4 {
                return Ok(Some(frame));
            }
            self.gathered.reserve(PIECE.saturating_sub(self.gathered.len()));
            self.gathered.extend_from_slice(&frame);
        }
        let piece = mem::take(&mut self.gathered).freeze();
        Ok((!piece.is_empty()).then_some(piece))
    }

    /// The next data of the body; `None` at its end.
    async fn frame(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            let frame = tokio::time::timeout(self.bounds.idle, self.body.frame()).await;
            match frame.map_err(|_| Refused::Silent(self.bounds.idle))? {
                None => return Ok(None),
                Some(Err(error)) => return Err(Refused::Gone(error)),
                // Trailers carry nothing that matters here.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn finish(self) -> Result<(), Refused> {
        self.bounds.expect_all_announced(self.passed)?;
        let findings = match self.inspector.map(Inspector::finish).transpose() {
            Ok(findings) => findings,
            Err(why) => self.bounds.expect_harmless(why).map(|()| None)?,
        };
        let Some(digests) = self.digests else { return Ok(()) };
        let hashes = digests.finish().await?;
        let virtual_size = findings.and_then(|findings| findings.virtual_size);
        // Nobody waits when the upload was dropped meanwhile.
        let _ = self.facts.send(Facts { hashes, virtual_size });
        Ok(())
    }
}
