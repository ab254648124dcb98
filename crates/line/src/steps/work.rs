//! What a step gets to work with, and what it gives back.

use std::path::{Path, PathBuf};

use machine::Cancel;
use serde_json::Value;

use super::StepName;
use crate::event::{Event, Observer};
use crate::recipe::Format;
use crate::work::{DiskFile, Key, Output};
use crate::{Error, Result};

/// What a step gets.
pub(crate) struct Work<'a> {
    pub(crate) step: StepName,
    pub(crate) key: &'a Key,
    pub(crate) folder: &'a Path,
    /// The outputs of the steps before, in their order.
    pub(crate) before: &'a [Output],
    pub(crate) observer: &'a mut Observer<'a>,
    pub(crate) cancel: &'a Cancel,
}

/// What a step gives.
pub(crate) struct Made {
    /// What came of it, in a line.
    pub(crate) result: String,
    /// The disk for the next step.
    pub(crate) disk: HandedOn,
    /// What was found out.
    pub(crate) found: Value,
}

/// The disk for the next step.
pub(crate) enum HandedOn {
    /// The one that came in.
    Same,
    /// A file in the step's folder.
    New(String, Format),
}

impl Work<'_> {
    /// Where to write.
    pub(crate) fn folder(&self) -> &Path {
        self.folder
    }

    /// A file in the step's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The request to stop.
    pub(crate) fn cancel(&self) -> &Cancel {
        self.cancel
    }

    /// The disk that came in. It is not to be written.
    pub(crate) fn disk(&self) -> Result<&DiskFile> {
        let disk = self.before.last().and_then(|output| output.disk.as_ref());
        disk.ok_or_else(|| {
            let why = std::io::ErrorKind::NotFound.into();
            Error::doing("the disk of the step before")(why)
        })
    }

    /// What an earlier step found out; null when it did not run.
    pub(crate) fn found_by(&self, step: StepName) -> &Value {
        let output = self.before.iter().find(|output| output.step == step);
        output.map_or(&Value::Null, |output| &output.found)
    }

    /// Says what is going on. Some of it are a guest's words, which are not to command a terminal.
    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.tell(Event::Note { step: self.step, text });
    }

    /// Says how far it is, in bytes.
    pub(crate) fn progress(&mut self, done: u64, total: u64) {
        self.tell(Event::Progress { step: self.step, done, total });
    }

    pub(crate) fn tell(&mut self, event: Event) {
        (self.observer)(event);
    }
}
