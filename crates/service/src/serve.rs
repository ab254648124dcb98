//! The listening socket: connections in, and an orderly end.

use std::io;
use std::time::Duration;

use axum::{Router, middleware};
use config::Config;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use crate::linger::linger;

/// How long a client may take for the head of its request.
const HEAD: Duration = Duration::from_secs(30);

/// glance.common.wsgi's default of `client_socket_timeout`, in seconds.
const STALLED: u64 = 900;

/// How long requests that are under way may take once the service is told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// The size of a connection's read buffer at most, in bytes: a piece of an upload in one read.
const BUFFER: usize = store::PIECE;

/// How long a client may take no byte of what it is sent (`client_socket_timeout`, in seconds): one that
/// never goes on keeps an image from being deleted. `None` is without end.
pub fn stalled_after(config: &Config) -> config::Result<Option<Duration>> {
    let seconds = config.default_section().or("client_socket_timeout", STALLED)?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
}

/// Serves until `stop` resolves; then lets the requests that are under way come to their end. Those
/// that don't are dropped when this returns.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stalled_after: Option<Duration>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = router.layer(middleware::from_fn(linger));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stalled_after, &graceful));
                }
                Err(error) => pause(&error).await,
            },
            Some(_) = connections.join_next() => {}
            () = &mut stop => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way after {GRACE:?}");
    }
    connections.shutdown().await;
    Ok(())
}

fn connection(
    stream: TcpStream,
    router: Router,
    stalled_after: Option<Duration>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Answers are written whole; waiting to fill a segment would only delay them.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(stalled_after);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    }
}

/// Out of file descriptors or the like: the next attempt comes when some may be free again.
async fn pause(error: &io::Error) {
    tracing::warn!(%error, "can't accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
