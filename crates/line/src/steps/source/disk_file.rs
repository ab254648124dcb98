//! A system on a disk image that is there already: it is copied, and never written itself.

use std::os::unix::fs::MetadataExt;

use disk::ByteSize;
use serde_json::{Value, json};

use crate::recipe::{DiskSource, Format};
use crate::steps::{HandedOn, Made, Room, Step, StepName, Work};
use crate::{Error, Result, digest, image_file};

const DISK: &str = "disk.qcow2";

/// The step.
pub(super) struct DiskImage {
    source: DiskSource,
    size: Option<ByteSize>,
}

impl DiskImage {
    pub(super) fn new(source: DiskSource, size: Option<ByteSize>) -> Self {
        DiskImage { source, size }
    }

    fn verify(&self, work: &mut Work<'_>) -> Result<()> {
        let Some(expected) = &self.source.sha256 else {
            return Ok(());
        };
        work.note("comparing its SHA-256");
        let found = digest::sha256(&self.source.path, work.cancel())?;
        if found == *expected {
            return Ok(());
        }
        let path = self.source.path.clone();
        Err(Error::WrongDigest { path, found, expected: expected.clone() })
    }
}

impl Step for DiskImage {
    fn name(&self) -> StepName {
        StepName::Source
    }

    fn what(&self) -> String {
        format!("a copy of {}", self.source.path.display())
    }

    /// The file is known by its digest, else by what changes when it is written or replaced.
    fn inputs(&self) -> Result<Value> {
        let size = self.size.map(ByteSize::bytes);
        if let Some(sha256) = &self.source.sha256 {
            return Ok(json!({ "sha256": sha256, "size": size }));
        }
        let path = &self.source.path;
        let file = path.metadata().map_err(Error::at(path))?;
        let identity = [file.dev(), file.ino(), file.size()];
        let changed = (file.mtime(), file.mtime_nsec());
        Ok(json!({ "file": identity, "changed": changed, "size": size }))
    }

    fn room(&self, content: ByteSize) -> Room {
        Room { work: content.bytes(), temporary: 0 }
    }

    fn content(&self) -> Option<ByteSize> {
        let file = self.source.path.metadata().ok()?;
        Some(ByteSize::new(file.blocks() * 512))
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        self.verify(work)?;
        let (copy, cancel) = (work.file(DISK), work.cancel().clone());
        let mut tell = |done, total| work.progress(done, total);
        image_file::import(&self.source.path, &copy, self.size, &mut tell, &cancel)?;
        Ok(Made {
            result: format!("{} copied", self.source.path.display()),
            disk: HandedOn::New(DISK.to_owned(), Format::Qcow2),
            found: Value::Null,
        })
    }
}
