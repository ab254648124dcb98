//! Fetching bytes until all are there.

use std::path::Path;
use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};

use super::intake::{Intake, Stopped};
use crate::images::{Image, image_url, no_image};
use crate::session::Repeat;
use crate::session::transport::{no_answer, shown};
use crate::{Error, Progress, Result, Session};

/// A connection that brings nothing for this long is given up, and another one is made.
const STALLED: Duration = Duration::from_secs(60);

/// Why a download ended early.
pub(super) enum Broken {
    /// The network, or the service: what came may be gone on from.
    Off { id: String, position: u64, source: Error },
    /// A thread that takes the bytes: the intake knows why.
    Stopped,
    /// Anything else.
    Other(Error),
}

impl Broken {
    /// As an error, with the file that keeps what came.
    pub(super) fn whole(self, part: Option<&Path>) -> Error {
        match self {
            Self::Off { id, position, source } => Error::DownloadBroken {
                id,
                position,
                part: part.map(Path::to_owned),
                source: Box::new(source),
            },
            Self::Other(error) => error,
            Self::Stopped => Error::Stream {
                action: "take the bytes of the image",
                source: std::io::ErrorKind::BrokenPipe.into(),
            },
        }
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Stopped> for Broken {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// How one connection ended.
enum Ended {
    /// The service said that this is all.
    Complete,
    /// It broke.
    Early(Error),
}

/// Feeds `intake` the bytes from `start` on, over as many connections as it takes; gives the
/// position after the last one.
pub(super) async fn fetch(
    session: &Session,
    image: &Image,
    start: u64,
    intake: &mut Intake,
    progress: &Progress,
) -> Result<u64, Broken> {
    let mut position = start;
    let mut failures = 0;
    while image.size != Some(position) {
        let before = position;
        let ended = fetch_once(session, image, &mut position, intake, progress).await?;
        let why = match ended {
            Ended::Complete if image.size.is_none_or(|size| size == position) => break,
            Ended::Complete => wrong_size(image, position),
            Ended::Early(why) => why,
        };
        failures = if position > before { 1 } else { failures + 1 };
        let Some(wait) = session.retry().wait_after(failures, None) else {
            return Err(Broken::Off { id: image.id.clone(), position, source: why });
        };
        tracing::warn!(position, "the download broke off ({why}); going on");
        tokio::time::sleep(wait).await;
    }
    Ok(position)
}

async fn fetch_once(
    session: &Session,
    image: &Image,
    position: &mut u64,
    intake: &mut Intake,
    progress: &Progress,
) -> Result<Ended, Broken> {
    let mut response = open(session, image, *position).await?;
    let mut known = already_known(&response, *position)?;
    loop {
        let mut piece = match next_piece(&mut response).await {
            Ok(Some(piece)) => piece,
            Ok(None) => return Ok(Ended::Complete),
            Err(why) => return Ok(Ended::Early(why)),
        };
        let skipped = known.min(piece.len() as u64);
        piece.advance(skipped as usize);
        known -= skipped;
        if image.size.is_some_and(|size| *position + piece.len() as u64 > size) {
            return Err(Broken::Other(wrong_size(image, *position + piece.len() as u64)));
        }
        *position += piece.len() as u64;
        intake.take(piece).await?;
        progress.at(*position);
    }
}

async fn open(session: &Session, image: &Image, position: u64) -> Result<Response, Broken> {
    let get = |client: &Client, root: &Url| {
        let request = client.get(image_url(root, &image.id, &["file"]));
        match position {
            0 => request,
            _ => request.header(RANGE, format!("bytes={position}-")),
        }
    };
    match session.send(Repeat::Freely, get).await {
        Ok(response) if response.status() == StatusCode::NO_CONTENT => {
            let (id, status) = (image.id.clone(), image.status.clone());
            Err(Broken::Other(Error::NoData { id, status }))
        }
        Ok(response) => Ok(response),
        Err(source @ Error::NoAnswer { .. }) => {
            Err(Broken::Off { id: image.id.clone(), position, source })
        }
        Err(error) => Err(Broken::Other(no_image(error, &image.id))),
    }
}

/// How many bytes at the start of the answer are here already: all of them, when the service does
/// not know ranges and sends the image from its start. `If-Range` is not needed: the bytes of an
/// image never change, and the digest would tell.
fn already_known(response: &Response, position: u64) -> Result<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Ok(position);
    }
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first: Option<u64> =
        range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    match first {
        Some(first) if first == position => Ok(0),
        _ => Err(Error::Answer {
            url: shown(response.url()),
            reason: format!("asked for the bytes from {position} on, it sent {range:?}"),
        }),
    }
}

async fn next_piece(response: &mut Response) -> Result<Option<Bytes>> {
    match tokio::time::timeout(STALLED, response.chunk()).await {
        Ok(piece) => piece.map_err(no_answer),
        Err(_) => Err(Error::Stalled { seconds: STALLED.as_secs() }),
    }
}

fn wrong_size(image: &Image, received: u64) -> Error {
    Error::WrongSize { id: image.id.clone(), received, expected: image.size.unwrap_or(received) }
}
