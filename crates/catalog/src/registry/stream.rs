//! Connections of all kinds as one.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use openssl::ssl::{Ssl, SslAcceptor};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_openssl::SslStream;

use super::broken::Broken;
use super::certificate::{Allowed, Verdict, names};
use super::tls::{BOTH_SIDES, BadKeys, Keys};

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) type Boxed = Box<dyn Stream>;

/// Where a registry listens, and how both sides prove who they are.
pub enum Way {
    /// Over TLS.
    Tls(TcpListener, Guard),
    /// In the clear, for processes of this machine.
    Plain(TcpListener),
    /// A socket in the file system, for processes of the same user.
    Socket(UnixListener, Removed),
}

/// Who lets clients in.
pub struct Guard {
    acceptor: SslAcceptor,
    /// Whom it lets in of those that have certificates; `None` where a secret is asked for.
    clients: Option<Arc<Allowed>>,
}

/// A socket's file, which goes with it.
pub struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // Nobody is there who could be told.
        let _gone = std::fs::remove_file(&self.0);
    }
}

impl Way {
    /// Over TLS.
    pub fn tls(listener: TcpListener, keys: &Keys) -> Result<Self, BadKeys> {
        let clients = match keys {
            Keys::Certificates { clients, .. } => Some(Arc::new(clients.clone())),
            Keys::Secret(_) => None,
        };
        Ok(Self::Tls(listener, Guard { acceptor: keys.acceptor()?, clients }))
    }

    /// A socket at a path, for the user of this process alone; one that is left over there goes.
    pub fn socket(path: PathBuf) -> io::Result<Self> {
        if std::os::unix::net::UnixStream::connect(&path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there"));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self::Socket(listener, Removed(path)))
    }

    /// The next connection, which has proven nothing yet.
    pub(super) async fn accept(&self) -> io::Result<Visitor> {
        Ok(match self {
            Self::Tls(listener, guard) => {
                let (stream, from) = listener.accept().await?;
                let ssl = Ssl::new(guard.acceptor.context())?;
                let stream = Unproven::Tls(stream, ssl, guard.clients.clone());
                Visitor { from: from.to_string(), stream }
            }
            Self::Plain(listener) => {
                let (stream, from) = listener.accept().await?;
                Visitor { from: from.to_string(), stream: Unproven::Plain(stream) }
            }
            Self::Socket(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let pid = stream.peer_cred().ok().and_then(|peer| peer.pid()).unwrap_or_default();
                Visitor { from: format!("process {pid}"), stream: Unproven::Local(stream) }
            }
        })
    }
}

/// Somebody who has come, and has proven nothing yet.
pub(super) struct Visitor {
    /// Where from, as a log shows it.
    pub(super) from: String,
    pub(super) stream: Unproven,
}

pub(super) enum Unproven {
    Tls(TcpStream, Ssl, Option<Arc<Allowed>>),
    Plain(TcpStream),
    Local(UnixStream),
}

impl Unproven {
    /// The connection once it has proven who it is, and the names that it has proven.
    pub(super) async fn prove(self) -> Result<(Boxed, String), Broken> {
        match self {
            Self::Tls(stream, ssl, clients) => handshake(stream, ssl, clients).await,
            Self::Plain(stream) => {
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), String::new()))
            }
            Self::Local(stream) => {
                // The permissions of the socket come a moment after the socket.
                let (theirs, ours) = (stream.peer_cred()?.uid(), rustix::process::geteuid());
                match theirs == ours.as_raw() || theirs == 0 {
                    true => Ok((Box::new(stream), String::new())),
                    false => Err(Broken::Unproven(format!("it is of user {theirs}"))),
                }
            }
        }
    }
}

async fn handshake(
    stream: TcpStream,
    mut ssl: Ssl,
    clients: Option<Arc<Allowed>>,
) -> Result<(Boxed, String), Broken> {
    stream.set_nodelay(true)?;
    let verdict = clients.map(|clients| Verdict::over(&mut ssl, BOTH_SIDES, clients));
    let mut stream = Box::new(SslStream::new(ssl, stream).map_err(io::Error::from)?);
    Pin::new(&mut *stream).accept().await.map_err(|error| match &verdict {
        Some(verdict) => verdict.or(error.into()),
        None => Broken::from(error).between_secrets(),
    })?;
    let certificate = stream.ssl().peer_certificate();
    let names = certificate.map(|certificate| names(&certificate)).unwrap_or_default();
    Ok((stream, names))
}
