//! Connections of all kinds as one.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::Pin;

use openssl::ssl::{Ssl, SslAcceptor, SslConnector};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_openssl::SslStream;

use super::address::Address;
use super::frame::Broken;
use super::tls::{BadKeys, Keys};

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) type Boxed = Box<dyn Stream>;

/// Where a registry listens, and how both sides prove who they are.
pub enum Way {
    /// Over TLS.
    Tls(TcpListener, Box<SslAcceptor>),
    /// In the clear, for processes of this machine.
    Plain(TcpListener),
    /// A socket in the file system, for processes of the same user.
    Socket(UnixListener, Removed),
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
        Ok(Self::Tls(listener, Box::new(keys.acceptor()?)))
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
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self::Socket(listener, Removed(path)))
    }

    /// The next connection, which has proven nothing yet.
    pub(super) async fn accept(&self) -> io::Result<Unproven> {
        match self {
            Self::Tls(listener, acceptor) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let ssl = Ssl::new(acceptor.context())?;
                Ok(Unproven::Tls(Box::new(SslStream::new(ssl, stream)?)))
            }
            Self::Plain(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Unproven::Proven(Box::new(stream)))
            }
            Self::Socket(listener, _) => Ok(Unproven::Proven(Box::new(listener.accept().await?.0))),
        }
    }
}

pub(super) enum Unproven {
    Tls(Box<SslStream<TcpStream>>),
    Proven(Boxed),
}

impl Unproven {
    pub(super) async fn prove(self) -> Result<Boxed, Broken> {
        match self {
            Self::Proven(stream) => Ok(stream),
            Self::Tls(mut stream) => {
                Pin::new(&mut *stream).accept().await.map_err(unproven)?;
                Ok(stream)
            }
        }
    }
}

/// How a client gets to its registry.
pub(super) struct Route {
    pub(super) address: Address,
    connector: Option<SslConnector>,
}

impl Route {
    pub(super) fn new(address: Address, keys: Option<&Keys>) -> Result<Self, BadKeys> {
        Ok(Self { address, connector: keys.map(Keys::connector).transpose()? })
    }

    pub(super) async fn connect(&self) -> Result<Boxed, Broken> {
        match (&self.address, &self.connector) {
            (Address::Socket(path), _) => Ok(Box::new(UnixStream::connect(path).await?)),
            (Address::Plain(host, port), _) => Ok(Box::new(tcp(host, *port).await?)),
            (Address::Tls(host, port), Some(connector)) => {
                let stream = tcp(host, *port).await?;
                let ssl = connector.configure().and_then(|to| to.into_ssl(host));
                let ssl = ssl.map_err(io::Error::from)?;
                let mut stream = Box::new(SslStream::new(ssl, stream).map_err(io::Error::from)?);
                Pin::new(&mut *stream).connect().await.map_err(unproven)?;
                Ok(stream)
            }
            (Address::Tls(..), None) => {
                Err(Broken::Unproven("there are no certificates, and no secret".to_owned()))
            }
        }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn unproven(error: openssl::ssl::Error) -> Broken {
    match error.into_io_error() {
        Ok(error) => Broken::Io(error),
        Err(error) => Broken::Unproven(error.to_string()),
    }
}
