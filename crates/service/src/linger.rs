//! Bodies that nobody reads to their end: a request that is refused while its bytes still come.
//!
//! A connection that is closed with bytes unread is reset, and a reset takes the answer away from a
//! client that is still sending. So the answer says that the connection ends, and what still comes
//! is read for a while and thrown away, as other servers do (nginx's `lingering_close`).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::oneshot;

/// How long a client that was refused is heard out.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes of it, at most.
const MOST: u64 = 256 * 1024 * 1024;

/// Tells the client when its body was not read, and hears it out.
pub(crate) async fn linger(request: Request, next: Next) -> Response {
    let awaits_word = expects_continue(request.headers());
    let (rest, unread) = oneshot::channel();
    let request = request.map(|body| Body::new(Watched { body, rest: Some(rest), begun: false }));
    let mut response = next.run(request).await;
    // A body that is still being read ends in its own way.
    let mut unread = unread;
    if let Ok(Unread { body, begun }) = unread.try_recv() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        // Reading would ask a client that waits for leave to send after all.
        if begun || !awaits_word {
            tokio::spawn(tokio::time::timeout(PATIENCE, discard(body)));
        }
    }
    response
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

async fn discard(mut body: Body) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(less) = left.checked_sub(length) else { return };
        left = less;
    }
}

/// A body that was dropped before its end.
struct Unread {
    body: Body,
    /// Whether some of it was read.
    begun: bool,
}

/// A request's body that comes back when it is dropped before its end.
struct Watched {
    body: Body,
    /// Where it goes; `None` once it ended or failed.
    rest: Option<oneshot::Sender<Unread>>,
    begun: bool,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.begun = true;
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.rest = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take().filter(|_| !self.body.is_end_stream()) else { return };
        let body = std::mem::take(&mut self.body);
        // The request is over already when nobody waits for it.
        let _ = rest.send(Unread { body, begun: self.begun });
    }
}
