//! Bytes go to the disk while more of them come: so little is left to wait for at the end.

use std::fs::File;
use std::io;
use std::sync::Arc;

use tokio::task::JoinHandle;

/// How many bytes are worth a sync of their own: each of them also writes the file's size.
const WORTH: u64 = 64 * 1024 * 1024;

/// The syncs of one file, of which one runs at a time.
pub(super) struct Writeback {
    file: Arc<File>,
    waiting: u64,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Writeback {
    /// None is begun yet.
    pub(super) fn of(file: File) -> Self {
        Self { file: Arc::new(file), waiting: 0, running: None }
    }

    /// Takes notice of bytes that were written; begins a sync where it is worth one and none runs.
    /// Errors: that of the sync which ended. The system tells it once only.
    pub(super) async fn wrote(&mut self, bytes: u64) -> io::Result<()> {
        self.waiting += bytes;
        let busy = self.running.as_ref().is_some_and(|running| !running.is_finished());
        if self.waiting < WORTH || busy {
            return Ok(());
        }
        self.finish().await?;
        self.waiting = 0;
        let file = self.file.clone();
        self.running = Some(tokio::task::spawn_blocking(move || file.sync_data()));
        Ok(())
    }

    /// Waits for the sync that runs. What was written after its start is not synced by it.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        match self.running.take() {
            Some(running) => running.await.map_err(io::Error::other)?,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device that takes every byte and refuses to be synced.
    fn refusing() -> Writeback {
        Writeback::of(File::options().write(true).open("/dev/full").unwrap())
    }

    #[tokio::test]
    async fn a_sync_that_fails_is_told() {
        let mut writeback = refusing();
        writeback.wrote(WORTH).await.unwrap();
        assert!(writeback.finish().await.is_err());
    }

    #[tokio::test]
    async fn few_bytes_are_left_to_the_end() {
        let mut writeback = refusing();
        writeback.wrote(WORTH - 1).await.unwrap();
        writeback.finish().await.unwrap();
    }
}
