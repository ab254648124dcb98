//! What a step made.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Key;
use crate::recipe::Format;
use crate::steps::StepName;
use crate::{Error, Result};

/// The record's name in an output's folder.
const RECORD: &str = "output.json";

/// What a step made: its record, and the files beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Output {
    /// Who made it.
    pub step: StepName,
    /// For which image, by the recipe's name for it.
    pub image: String,
    /// Everything that it depends on.
    pub key: Key,
    /// What it was made from.
    pub previous: Option<Key>,
    /// When it was done.
    pub made: jiff::Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// What came of it, in a line.
    pub result: String,
    /// The disk that it hands on.
    pub disk: Option<DiskFile>,
    /// What it found out.
    pub found: Value,
}

/// A disk image file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFile {
    /// Its path; in a record relative to the work folder.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
}

impl Output {
    /// Reads the output in a folder; none when there is none, or one that this version cannot
    /// read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let record = fs::read(folder.join(RECORD)).ok()?;
        serde_json::from_slice(&record).ok()
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(RECORD);
        let record =
            serde_json::to_vec_pretty(self).map_err(|why| Error::doing(RECORD)(why.into()))?;
        fs::write(&path, record).map_err(Error::at(&path))
    }
}
