//! Downloads: resumed where they broke, hashed on the way, complete or not there at all.

mod fetch;
mod intake;

use std::fs::File;
use std::io::{Read, Take, Write};
use std::path::Path;

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
        // Of an image whose size is not known, nobody can tell how much is there already.
        let mut part = PartFile::open(output, &image.id, image.size.unwrap_or(0))?;
        let mut outcome = self.fill_part(image, &part, progress).await;
        if part.length > 0 && matches!(outcome, Err(Error::WrongHash { .. })) {
            tracing::warn!("{} does not fit the image; starting over", part.path.display());
            part.empty()?;
            outcome = self.fill_part(image, &part, progress).await;
        }
        if let Err(Error::WrongHash { .. } | Error::WrongSize { .. } | Error::NoData { .. }) =
            &outcome
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
        let digest = Digest::promised(image);
        let intake = Intake::start(Destination::Writer(Box::new(writer)), digest.clone(), None);
        self.receive(image, 0, intake, digest, progress).await.map_err(|broken| broken.whole(None))
    }

    async fn fill_part(
        &self,
        image: &Image,
        part: &PartFile,
        progress: &Progress,
    ) -> Result<Downloaded> {
        let digest = Digest::promised(image);
        let sparse =
            SparseFile::append(part.handle()?).map_err(Error::file(&part.path, "be read"))?;
        let earlier = self.earlier_bytes(part)?;
        let intake = Intake::start(
            Destination::Part { file: sparse, path: part.path.clone() },
            digest.clone(),
            earlier,
        );
        self.receive(image, part.length, intake, digest, progress)
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
        digest: Option<Digest>,
        progress: &Progress,
    ) -> Result<Downloaded, Broken> {
        progress.at(start);
        let fetched = fetch::fetch(&self.session, image, start, &mut intake, progress).await;
        // Even when the network failed: the bytes that came are to be in the file. And when the
        // intake stopped, it is the one that knows why.
        let found = intake.finish().await?;
        let bytes = fetched?;
        let verified = match digest.zip(found) {
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
        Ok(Downloaded { bytes, resumed_from: start, verified })
    }
}
