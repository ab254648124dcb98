//! How a client gets to its registry.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use openssl::ssl::{SslConnector, SslVerifyMode};
use tokio::net::{TcpStream, UnixStream};
use tokio_openssl::SslStream;

use super::address::Address;
use super::broken::Broken;
use super::certificate::{Allowed, Verdict};
use super::stream::Boxed;
use super::tls::{BadKeys, Keys};

/// How a client gets to its registry.
pub(super) struct Route {
    pub(super) address: Address,
    connector: Option<SslConnector>,
    has_secret: bool,
}

impl Route {
    pub(super) fn new(address: Address, keys: Option<&Keys>) -> Result<Self, BadKeys> {
        let has_secret = matches!(keys, Some(Keys::Secret(_)));
        Ok(Self { address, connector: keys.map(Keys::connector).transpose()?, has_secret })
    }

    pub(super) async fn connect(&self) -> Result<Boxed, Broken> {
        match (&self.address, &self.connector) {
            (Address::Socket(path), _) => Ok(Box::new(UnixStream::connect(path).await?)),
            (Address::Plain(host, port), _) => Ok(Box::new(tcp(host, *port).await?)),
            (Address::Tls(host, port), Some(connector)) => {
                let proven = proven(connector, host, tcp(host, *port).await?).await;
                proven.map_err(|broken| match self.has_secret {
                    true => broken.between_secrets(),
                    false => broken,
                })
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

async fn proven(connector: &SslConnector, host: &str, stream: TcpStream) -> Result<Boxed, Broken> {
    let ssl = connector.configure().and_then(|to| to.into_ssl(host));
    let mut ssl = ssl.map_err(io::Error::from)?;
    // A registry is known by its host's name, which OpenSSL looks for.
    let verdict = Verdict::over(&mut ssl, SslVerifyMode::PEER, Arc::new(Allowed::default()));
    let mut stream = Box::new(SslStream::new(ssl, stream).map_err(io::Error::from)?);
    let connected = Pin::new(&mut *stream).connect().await;
    connected.map_err(|error| verdict.or(error.into()))?;
    Ok(stream)
}
