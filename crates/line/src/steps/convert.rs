//! `convert`: the disk becomes one file in the format that is published.

use std::path::PathBuf;

use disk::ByteSize;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HandedOn, Made, Room, Step, StepName, Work};
use crate::recipe::{self, Compression, Format, Recipe};
use crate::work::Output;
use crate::{Error, Result, digest, image_file};

/// The finished file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Converted {
    /// Where it is.
    #[serde(skip)]
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of the disk that it describes.
    pub virtual_size: u64,
    /// Its SHA-512, in hexadecimal.
    pub sha512: String,
}

/// The step.
pub(super) struct Convert {
    convert: recipe::Convert,
    file: String,
}

impl Converted {
    /// What `convert` made on this line.
    pub(super) fn of(work: &Work<'_>) -> Result<Self> {
        let output = work.before.iter().find(|output| output.step == StepName::Convert);
        output
            .and_then(Self::read)
            .ok_or_else(|| Error::doing("the finished file")(std::io::ErrorKind::NotFound.into()))
    }

    /// What an output of the step says; none of another step's.
    pub fn read(output: &Output) -> Option<Self> {
        let converted: Converted = serde_json::from_value(output.found.clone()).ok()?;
        Some(Converted { path: output.disk.clone()?.path, ..converted })
    }
}

impl Convert {
    pub(super) fn of(recipe: &Recipe) -> Self {
        let file = format!("{}.{}", recipe.image.name, recipe.convert.format.name());
        Convert { convert: recipe.convert.clone(), file }
    }
}

impl Step for Convert {
    fn name(&self) -> StepName {
        StepName::Convert
    }

    fn what(&self) -> String {
        let how = match self.convert.compress {
            Compression::Compressed if self.convert.format == Format::Qcow2 => ", compressed",
            _ => "",
        };
        format!("write {}{how}", self.file)
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "convert": self.convert, "file": self.file }))
    }

    fn room(&self, content: ByteSize) -> Room {
        Room { work: content.bytes(), temporary: 0 }
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let (disk, cancel) = (work.disk()?.clone(), work.cancel().clone());
        let path = work.file(&self.file);
        let (format, compression) = (self.convert.format, self.convert.compress);
        let mut tell = |done, total| work.progress(done, total);
        image_file::convert(&disk, &path, format, compression, &mut tell, &cancel)?;
        work.note("hashing it");
        let (sha512, size) = digest::sha512(&path, &cancel)?;
        let virtual_size = image_file::virtual_size(&disk)?.bytes();
        let result = format!("{}, {}", self.file, ByteSize::new(size));
        let converted = Converted { path, format, size, virtual_size, sha512 };
        let disk = HandedOn::New(self.file.clone(), format);
        Ok(Made { result, disk, found: json!(converted) })
    }
}
