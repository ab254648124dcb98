//! Downloads: resumed where they broke, hashed on the way, complete or not there at all.

mod fetch;
mod intake;

use std::fs::File;
use std::io::{Read, Take, Write};
use std::path::Path;
use std::sync::Arc;

use signature::Verifier;

use super::part_file::PartFile;
use super::sparse_file::SparseFile;
use super::{Digest, Image, Images};
use crate::{Error, Progress, Result};
use fetch::Broken;
use intake::{Destination, Intake};

/// What a download brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Bytes of the image.
    pub bytes: u64,
    /// Of these, the bytes that an earlier, broken download had left.
    pub resumed_from: u64,
    /// What the bytes were compared with.
    pub verified: Verified,
}

/// What the bytes of a download were compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// This digest, and they match.
    Digest(Digest),
    /// Nothing: the record has no digest that can be computed here.
    Nothing,
}

/// What the bytes of a download are held against.
#[derive(Clone, Default)]
struct Checks {
    digest: Option<Digest>,
    verifier: Option<Arc<Verifier>>,
}

impl Checks {
    fn of(image: &Image, verifier: Option<Arc<Verifier>>) -> Self {
        Self { digest: Digest::promised(image), verifier }
    }
}

impl Images {
    /// Downloads `image` into the file `output`, which appears, or is replaced, only once it is
    /// complete, verified and synced. Until then the bytes are in a file beside it that ends in
    /// `.part`; when that is left by an earlier download of this image, its bytes are hashed again
    /// and only the rest is fetched. Blocks of zeros become holes.
    ///
    /// # Errors
    /// [`Error::DownloadBroken`] when the service cannot be reached any more (the `.part` file
    /// stays), [`Error::WrongHash`] when the bytes are not those of the record (it is removed).
    pub async fn download(
        &self,
        image: &Image,
        output: &Path,
        progress: &Progress,
    ) -> Result<Downloaded> {
        self.download_checked(image, output, None, progress).await
    }

    /// As [`Images::download`], and only when a signature fits the bytes as well.
    ///
    /// # Errors
    /// As there, and [`Error::Signature`].
    pub async fn download_signed(
        &self,
        image: &Image,
        output: &Path,
        verifier: Arc<Verifier>,
        progress: &Progress,
    ) -> Result<Downloaded> {
        self.download_checked(image, output, Some(verifier), progress).await
    }

    async fn download_checked(
        &self,
        image: &Image,
        output: &Path,
        verifier: Option<Arc<Verifier>>,
        progress: &Progress,
    ) -> Result<Downloaded> {
        let checks = Checks::of(image, verifier);
        // Of an image whose size is not known, nobody can tell how much is there already.
        let mut part = PartFile::open(output, &image.id, image.size.unwrap_or(0))?;
        let mut outcome = self.fill_part(image, &part, &checks, progress).await;
        if part.length > 0 && matches!(outcome, Err(Error::WrongHash { .. })) {
            tracing::warn!("{} does not fit the image; starting over", part.path.display());
            part.empty()?;
            outcome = self.fill_part(image, &part, &checks, progress).await;
        }
        if let Err(
            Error::WrongHash { .. }
            | Error::WrongSize { .. }
            | Error::NoData { .. }
            | Error::Signature { .. },
        ) = &outcome
        {
            part.discard();
            return outcome;
        }
        let downloaded = outcome?;
        part.finish()?;
        Ok(downloaded)
    }

    /// Downloads `image` into `writer`. A connection that breaks is taken up again where it broke.
    ///
    /// # Errors
    /// As [`Images::download`]; the bytes are then already written.
    pub async fn download_to(
        &self,
        image: &Image,
        writer: impl Write + Send + 'static,
        progress: &Progress,
    ) -> Result<Downloaded> {
        self.stream(image, Box::new(writer), Checks::of(image, None), progress).await
    }

    /// As [`Images::download_to`], and checked against a signature.
    ///
    /// # Errors
    /// As there, and [`Error::Signature`]; the bytes are then already written.
    pub async fn download_signed_to(
        &self,
        image: &Image,
        writer: impl Write + Send + 'static,
        verifier: Arc<Verifier>,
        progress: &Progress,
    ) -> Result<Downloaded> {
        self.stream(image, Box::new(writer), Checks::of(image, Some(verifier)), progress).await
    }

    async fn stream(
        &self,
        image: &Image,
        writer: Box<dyn Write + Send>,
        checks: Checks,
        progress: &Progress,
    ) -> Result<Downloaded> {
        let intake = Intake::start(Destination::Writer(writer), &checks, || Ok(None))?;
        self.receive(image, 0, intake, &checks, progress).await.map_err(|broken| broken.whole(None))
    }

    async fn fill_part(
        &self,
        image: &Image,
        part: &PartFile,
        checks: &Checks,
        progress: &Progress,
    ) -> Result<Downloaded> {
        let sparse =
            SparseFile::append(part.handle()?).map_err(Error::file(&part.path, "be read"))?;
        let intake = Intake::start(
            Destination::Part { file: sparse, path: part.path.clone() },
            checks,
            || self.earlier_bytes(part),
        )?;
        self.receive(image, part.length, intake, checks, progress)
            .await
            .map_err(|broken| broken.whole(Some(&part.path)))
    }

    /// The bytes that are there before any are written: the writer appends to the same file while
    /// they are read. A handle of its own, so that reading does not move the writer.
    fn earlier_bytes(&self, part: &PartFile) -> Result<Option<Take<File>>> {
        if part.length == 0 {
            return Ok(None);
        }
        let file = File::open(&part.path).map_err(Error::file(&part.path, "be read"))?;
        Ok(Some(file.take(part.length)))
    }

    async fn receive(
        &self,
        image: &Image,
        start: u64,
        mut intake: Intake,
        checks: &Checks,
        progress: &Progress,
    ) -> Result<Downloaded, Broken> {
        progress.at(start);
        let fetched = fetch::fetch(&self.session, image, start, &mut intake, progress).await;
        // Even when the network failed: the bytes that came are to be in the file. And when the
        // intake stopped, it is the one that knows why.
        let found = intake.finish().await?;
        let bytes = fetched?;
        let verified = match checks.digest.clone().zip(found.digest) {
            Some((digest, found)) if digest.value != found => {
                return Err(Broken::Other(Error::WrongHash {
                    id: image.id.clone(),
                    algorithm: digest.algorithm,
                    expected: digest.value,
                    found,
                }));
            }
            Some((digest, _)) => Verified::Digest(digest),
            None => Verified::Nothing,
        };
        if let Some((verifier, signed)) = checks.verifier.as_ref().zip(found.signed) {
            verifier.check(&signed).map_err(|source| {
                Broken::Other(Error::Signature { id: image.id.clone(), source })
            })?;
        }
        Ok(Downloaded { bytes, resumed_from: start, verified })
    }
}
