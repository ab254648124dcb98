//! Reading `clouds.yaml` and laying `secure.yaml` over it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Environment;
use super::settings::{self, Settings};
use crate::{Error, Result};

/// The cloud that `tintype serve` describes in its state directory.
const OWN_CLOUD: &str = "tintype";

/// The clouds of the first file found, secrets included.
pub(super) struct CloudsYaml {
    /// The file, or none when there is no file.
    file: Option<PathBuf>,
    clouds: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    clouds: Option<BTreeMap<String, Option<Entry>>>,
}

/// One cloud: the settings of `auth` and those beside it that mean something here, each as it is
/// written. A plain scalar stays the text that it is: the password `0123` is not the number 123.
#[derive(Default)]
struct Entry(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a cloud")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut entry = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            // openstacksdk takes dashes for underscores.
            let key = key.replace('-', "_");
            if key == "auth" {
                let auth: Option<BTreeMap<String, Option<String>>> = map.next_value()?;
                for (key, value) in auth.unwrap_or_default() {
                    entry.extend(value.map(|value| (key.replace('-', "_"), value)));
                }
            } else if settings::is_known(&key) {
                entry.extend(map.next_value::<Option<String>>()?.map(|value| (key, value)));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Entry(entry))
    }
}

impl CloudsYaml {
    /// The first `clouds.yaml` in openstacksdk's order, with the first `secure.yaml` over it.
    pub(super) fn read_first(environment: &Environment) -> Result<Self> {
        let found = first(&environment.clouds_files())?;
        let Some((file, mut clouds)) = found else {
            return Ok(Self { file: None, clouds: BTreeMap::new() });
        };
        if let Some((_, secure)) = first(&environment.secure_files())? {
            for (name, over) in secure {
                clouds.entry(name).or_default().0.extend(over.0);
            }
        }
        Ok(Self { file: Some(file), clouds })
    }

    /// The cloud of that name; tintype's own when no other file has it.
    pub(super) fn named(self, name: &str, environment: &Environment) -> Result<Settings> {
        if let (Some(entry), Some(file)) = (self.clouds.get(name), &self.file) {
            return Ok(entry.settings(name, file).completed_by(environment));
        }
        if name == OWN_CLOUD
            && let Some(own) = own(environment)?
        {
            return Ok(own);
        }
        Err(Error::UnknownCloud {
            name: name.to_owned(),
            known: self.clouds.into_keys().collect(),
            looked: self.file.map_or_else(|| environment.clouds_files(), |file| vec![file]),
        })
    }

    /// The only cloud of the file; without a file, tintype's own.
    pub(super) fn only(self, environment: &Environment) -> Result<Settings> {
        let Some(file) = self.file else {
            return own(environment)?
                .ok_or_else(|| Error::NoCloud { looked: everywhere(environment) });
        };
        let mut clouds = self.clouds.iter();
        match (clouds.next(), clouds.next()) {
            (Some((name, entry)), None) => {
                Ok(entry.settings(name, &file).completed_by(environment))
            }
            (None, _) => own(environment)?.ok_or_else(|| Error::NoCloud { looked: vec![file] }),
            _ => Err(Error::CloudNotChosen { file, known: self.clouds.into_keys().collect() }),
        }
    }
}

fn own(environment: &Environment) -> Result<Option<Settings>> {
    let Some(file) = environment.own_clouds_file() else { return Ok(None) };
    let clouds = read(&file)?.unwrap_or_default();
    Ok(clouds.get(OWN_CLOUD).map(|entry| entry.settings(OWN_CLOUD, &file)))
}

fn everywhere(environment: &Environment) -> Vec<PathBuf> {
    environment.clouds_files().into_iter().chain(environment.own_clouds_file()).collect()
}

impl Entry {
    fn settings(&self, name: &str, file: &Path) -> Settings {
        let origin = format!("cloud '{name}' of {}", file.display());
        Settings::new(origin, self.0.clone())
    }
}

type Clouds = BTreeMap<String, Entry>;

fn first(files: &[PathBuf]) -> Result<Option<(PathBuf, Clouds)>> {
    for file in files {
        if let Some(clouds) = read(file)? {
            return Ok(Some((file.clone(), clouds)));
        }
    }
    Ok(None)
}

/// The clouds of a file, or none when there is no such file.
fn read(file: &Path) -> Result<Option<Clouds>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::file(file, "be read")(error)),
    };
    let document: Document = serde_saphyr::from_str(&text).map_err(|error| Error::CloudsFile {
        file: file.to_owned(),
        // The snippet would show the line, and with it perhaps a password.
        message: error.without_snippet().to_string(),
    })?;
    let clouds = document.clouds.unwrap_or_default().into_iter();
    Ok(Some(clouds.map(|(name, entry)| (name, entry.unwrap_or_default())).collect()))
}
