//! A node of the cluster, asked over connections that have one request at a time each. Any node
//! takes requests for all objects, and asks the others itself.

use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::location::Address;
use super::protocol::{HEADER, Request, Response};
use crate::Error;
use crate::remote::Failed;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);

/// How long a node may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Connections that wait for their next request, at most.
const IDLE: usize = 8;

/// What is read at once of data that nobody wants, in bytes.
const SKIPPED: usize = 64 * 1024;

/// A node, and connections to it.
pub(super) struct Node {
    /// The store's name, for errors.
    pub(super) store: String,
    pub(super) address: Address,
    pub(super) silence: Duration,
    idle: Mutex<Vec<TcpStream>>,
}

impl Node {
    pub(super) fn at(address: Address, store: &str) -> Self {
        Self { store: store.to_owned(), address, silence: SILENCE, idle: Mutex::default() }
    }

    /// Makes a request; returns the response and the first `keep` bytes of its data. A connection
    /// whose request was given up is closed.
    pub(super) async fn ask(
        &self,
        request: &Request,
        data: &[Bytes],
        keep: usize,
    ) -> Result<(Response, Vec<u8>), Failed> {
        let mut stream = match self.waiting() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        match self.exchange(&mut stream, request, data, keep).await {
            Ok(answered) => {
                self.give_back(stream);
                Ok(answered)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    async fn exchange(
        &self,
        stream: &mut TcpStream,
        request: &Request,
        data: &[Bytes],
        keep: usize,
    ) -> io::Result<(Response, Vec<u8>)> {
        self.timely(stream.write_all(&request.encoded())).await?;
        for piece in data {
            self.timely(stream.write_all(piece)).await?;
        }
        let mut header = [0; HEADER];
        self.timely(stream.read_exact(&mut header)).await?;
        let response = Response::decode(&header, request)
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        let length = response.length as usize;
        let data = self.receive(stream, length.min(keep)).await?;
        self.skip(stream, length - data.len()).await?;
        Ok((response, data))
    }

    /// The next `length` bytes, which are no more than were asked for.
    async fn receive(&self, stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        let mut data = Vec::with_capacity(length);
        let mut stream = stream.take(length as u64);
        while data.len() < length {
            if self.timely(stream.read_buf(&mut data)).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(data)
    }

    async fn skip(&self, stream: &mut TcpStream, mut length: usize) -> io::Result<()> {
        let mut scratch = vec![0; SKIPPED.min(length)];
        while length > 0 {
            let most = scratch.len().min(length);
            match self.timely(stream.read(&mut scratch[..most])).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => length -= read,
            }
        }
        Ok(())
    }

    async fn connect(&self) -> Result<TcpStream, Failed> {
        let Address { host, port } = &self.address;
        let connecting = TcpStream::connect((host.as_str(), *port));
        let connected = within(CONNECT, connecting).await.and_then(|stream| {
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        connected.map_err(|error| self.broken(error))
    }

    /// A connection that waits, unless its node has closed it meanwhile or talks unasked.
    fn waiting(&self) -> Option<TcpStream> {
        loop {
            let stream = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            let read = stream.try_read(&mut [0]);
            if read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                return Some(stream);
            }
        }
    }

    fn give_back(&self, stream: TcpStream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(stream);
        }
    }

    async fn timely<T>(&self, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        within(self.silence, step).await
    }

    /// A connection that breaks may be none the next time; silence and nonsense last.
    fn broken(&self, error: io::Error) -> Failed {
        let failing = self.failing(format!("sheep at {}: {error}", self.address));
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::TimedOut => Failed::Lasting(failing),
            _ => Failed::Passing(failing),
        }
    }

    /// The error for a node that does not do as it should.
    pub(super) fn failing(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { store: self.store.clone(), why: why.into() }
    }
}

async fn within<T>(limit: Duration, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(limit, step).await {
        Ok(done) => done,
        Err(_) => {
            let why = format!("there was no answer within {} s", limit.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        }
    }
}
