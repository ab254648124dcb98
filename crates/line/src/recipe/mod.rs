//! A recipe: what image to make, in TOML. It is read and checked whole before anything runs, and
//! every fault is told with its line, its column and, for a name that is not known, the nearest.

mod document;
mod fault;
mod sections;
mod source;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

pub use fault::{Fault, Faults};
pub use sections::{Boot, Compression, Convert, Disk, Format, Image, Publish, Seed, Visibility};
pub use source::{DiskSource, PackagesSource, Source};
pub use text::Place;

use crate::{Error, Result};
use document::Document;
use text::Text;

/// A recipe without faults.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The file that it was read from.
    pub path: PathBuf,
    /// What the image is.
    pub image: Image,
    /// What it is made from.
    pub source: Source,
    /// The disk that it is on.
    pub disk: Disk,
    /// What is put into the guest.
    pub prepare: guest::prepare::Options,
    /// What is taken out of the guest.
    pub clean: guest::clean::Options,
    /// What the guest must fulfil.
    pub check: guest::check::Options,
    /// How it is proved.
    pub boot: Boot,
    /// What file it becomes.
    pub convert: Convert,
    /// Where it goes; nowhere if not said.
    pub publish: Option<Publish>,
}

/// Every section that a recipe may have.
const SECTIONS: &[&str] =
    &["image", "source", "disk", "prepare", "clean", "check", "boot", "convert", "publish"];

impl Recipe {
    /// Reads a recipe. `set` lays `key=value` over it: the key with dots (`disk.size`), the value
    /// as TOML, or as plain text when it is not TOML.
    ///
    /// # Errors
    /// [`Error::RecipeUnreadable`]; [`Error::Recipe`] with everything that is wrong.
    pub fn read(path: &Path, set: &[String]) -> Result<Recipe> {
        let content = fs::read_to_string(path)
            .map_err(|source| Error::RecipeUnreadable { path: path.to_owned(), source })?;
        Self::parse(path, content, set)
    }

    /// As [`Recipe::read`], from its content; paths in it are relative to `path`'s folder.
    ///
    /// # Errors
    /// [`Error::Recipe`].
    pub fn parse(path: &Path, content: String, set: &[String]) -> Result<Recipe> {
        let set: Vec<String> = set.iter().map(|set| as_toml(set)).collect();
        let text = Text::new(path, content, &set);
        let mut document = Document::read(&text);
        let recipe = Self::take(&mut document, &text);
        match (recipe, document.finish(SECTIONS)) {
            (Some(recipe), faults) if faults.is_empty() => Ok(recipe),
            (_, faults) => Err(Error::Recipe(Faults(faults))),
        }
    }

    /// Every section is taken before the first that failed ends it, so that all faults are told.
    fn take(document: &mut Document<'_>, text: &Text) -> Option<Recipe> {
        let folder = text.path().parent().unwrap_or(Path::new("")).to_owned();
        let image = document.required("image");
        let source = source::take(document, &folder);
        let disk = document.defaulted("disk");
        let prepare = document.validated("prepare", guest::prepare::Options::validate);
        let clean = document.validated("clean", guest::clean::Options::validate);
        let check = document.validated("check", guest::check::Options::validate);
        let boot = document.defaulted("boot");
        let convert = document.defaulted("convert");
        let publish = document.optional("publish");
        Some(Recipe {
            path: text.path().to_owned(),
            image: image?,
            source: source?,
            disk,
            prepare,
            clean,
            check,
            boot,
            convert,
            publish,
        })
    }
}

/// `disk.size=4G` is not TOML, but what people type.
fn as_toml(set: &str) -> String {
    let Some((key, value)) = set.split_once('=') else {
        return set.to_owned();
    };
    let value = value.trim();
    match toml::de::ValueDeserializer::parse(value) {
        Ok(_) => format!("{} = {value}", key.trim()),
        Err(_) => format!("{} = {}", key.trim(), toml::Value::from(value)),
    }
}

#[cfg(test)]
mod tests;
