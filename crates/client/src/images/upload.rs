//! Uploads: read ahead on a thread, streamed with a known length.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::Stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Client, Url};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Image, Images, image_url, no_image};
use crate::session::Repeat;
use crate::{Error, Progress, Result};

/// Bytes read at once: large enough that a disk gives what it has.
const PIECE: u64 = 1 << 20;

/// Pieces read before the network asks for them.
const PIECES_AHEAD: usize = 3;

/// Bytes to upload, as many as it says.
pub struct Source {
    length: u64,
    bytes: Origin,
}

enum Origin {
    File(PathBuf),
    /// Taken by the first attempt.
    Reader(Mutex<Option<Box<dyn Read + Send>>>),
}

impl Source {
    /// A file, as long as it is now.
    pub fn file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let metadata = File::open(path)
            .and_then(|file| file.metadata())
            .map_err(Error::file(path, "be read"))?;
        if metadata.is_dir() {
            return Err(Error::file(path, "be read")(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { length: metadata.len(), bytes: Origin::File(path.to_owned()) })
    }

    /// The next `length` bytes of `reader`.
    pub fn reader(reader: impl Read + Send + 'static, length: u64) -> Self {
        Self { length, bytes: Origin::Reader(Mutex::new(Some(Box::new(reader)))) }
    }

    /// Bytes in all.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match &self.bytes {
            Origin::File(path) => Ok(Box::new(File::open(path)?)),
            Origin::Reader(reader) => {
                let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                reader.ok_or_else(|| io::Error::other("the source can be read only once"))
            }
        }
    }

    /// Whether [`Source::open`] works a second time.
    fn repeat(&self) -> Repeat {
        match self.bytes {
            Origin::File(_) => Repeat::Unsent,
            Origin::Reader(_) => Repeat::Never,
        }
    }

    /// The pieces, read ahead by a thread that ends with the stream.
    fn pieces(&self, progress: &Progress) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let (sender, mut receiver): (_, Receiver<io::Result<Bytes>>) = channel(PIECES_AHEAD);
        let (length, source) = (self.length, self.open());
        tokio::task::spawn_blocking(move || read_ahead(source, length, &sender));
        let (progress, mut position) = (progress.clone(), 0);
        futures::stream::poll_fn(move |context| {
            receiver.poll_recv(context).map(|piece| {
                if let Some(Ok(piece)) = &piece {
                    position += piece.len() as u64;
                    progress.at(position);
                }
                piece
            })
        })
    }
}

fn read_ahead(
    source: io::Result<Box<dyn Read + Send>>,
    length: u64,
    pieces: &Sender<io::Result<Bytes>>,
) {
    let mut source = match source {
        Ok(source) => source,
        Err(error) => return drop(pieces.blocking_send(Err(error))),
    };
    let mut left = length;
    while left > 0 {
        let piece = read_piece(&mut source, left.min(PIECE));
        left -= piece.as_ref().map_or(left, |piece| piece.len() as u64);
        if pieces.blocking_send(piece).is_err() {
            return;
        }
    }
}

fn read_piece(source: &mut impl Read, length: u64) -> io::Result<Bytes> {
    let mut piece = Vec::with_capacity(length as usize);
    source.take(length).read_to_end(&mut piece)?;
    if piece.is_empty() {
        let reason = "the source ended before its length was reached";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
    }
    Ok(piece.into())
}

impl Images {
    /// Uploads the bytes of a queued image; gives its record, now `active`.
    ///
    /// # Errors
    /// [`Error::UploadBroken`], which says what state the image is left in. The image stays
    /// registered: deleting it, or trying again while it is `queued`, is the caller's choice.
    pub async fn upload(&self, id: &str, source: Source, progress: &Progress) -> Result<Image> {
        // Also brings a token that the service accepts, since the body may be sent only once.
        self.show(id).await?;
        if let Err(error) = self.put_file(id, &source, progress).await {
            return Err(self.upload_broken(id, error).await);
        }
        let image = self.show(id).await?;
        match image.size {
            Some(size) if size != source.length => {
                Err(Error::WrongSize { id: image.id, received: size, expected: source.length })
            }
            _ => Ok(image),
        }
    }

    async fn put_file(&self, id: &str, source: &Source, progress: &Progress) -> Result<()> {
        let put = |client: &Client, root: &Url| {
            client
                .put(image_url(root, id, &["file"]))
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, source.length)
                .body(Body::wrap_stream(source.pieces(progress)))
        };
        self.session.send(source.repeat(), put).await.map(drop)
    }

    async fn upload_broken(&self, id: &str, error: Error) -> Error {
        let state = match self.show(id).await {
            Ok(image) => format!("'{}'", image.status),
            Err(Error::NoImage(_)) => "gone".to_owned(),
            Err(_) => "in an unknown state: the service does not answer".to_owned(),
        };
        let source = Box::new(no_image(error, id));
        Error::UploadBroken { id: id.to_owned(), state, source }
    }
}
