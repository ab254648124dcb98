//! `web-download`: what is at a URL. It was looked at when the import was asked for, and is again
//! now: names may lead elsewhere by this time.

use axum::body::Body;
use fetch::Fetcher;

use super::super::failure::Failure;
use super::Opened;

pub(super) async fn open(fetcher: &Fetcher, url: &str) -> Result<Opened, Failure> {
    let admitted = fetcher.admit(url).await?;
    let answer = fetcher.get(admitted, None).await?;
    Ok(Opened::plain(Body::from_stream(answer.data), answer.length))
}
