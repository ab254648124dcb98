//! The way in: one request, whose body is the image as it comes.

use super::file::File;
use crate::remote::{Begun, Outgoing, Parts, streamed};
use crate::{Error, Result, Source};

/// An upload that is under way, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Upload {
    file: File,
    /// Whether the file may be there and is not to stay.
    begun: Begun,
}

impl Upload {
    pub(super) fn to(file: File) -> Self {
        Self { file, begun: Begun::default() }
    }

    /// Sends all of a source; returns how many bytes they were.
    pub(super) async fn send(&self, hint: Option<u64>, source: Source) -> Result<u64> {
        let mut parts = Parts::of(source);
        self.begun.set();
        let request = |body: Outgoing| self.file.put(body, hint);
        let sent = streamed(&mut parts, hint.unwrap_or(u64::MAX), request).await?;
        let early = || self.file.early();
        let length = sent.stored(hint, early).map_err(|error| self.begun.spare_others(error))?;
        parts.expect_end(length).await?;
        Ok(length)
    }

    /// Removes what was sent. What can't be removed is logged: the next start's sweep has it.
    pub(super) async fn undo(self) {
        if !self.begun.is_set() {
            return;
        }
        match self.file.remove().await {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => tracing::error!(%error, "a file that is not whole stays"),
        }
    }
}
