//! The kinds of stores, as `enabled_backends` names them. To add one: a file or folder with its
//! `KIND`, and a line here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Config, Section, Value};

use crate::{SettingsError, Store, cinder, file, gridfs, http, rbd, s3, sheepdog, swift, vmware};

/// Every kind that this version knows.
const KINDS: &[Kind] = &[
    cinder::KIND,
    file::KIND,
    gridfs::KIND,
    http::KIND,
    rbd::KIND,
    s3::KIND,
    sheepdog::KIND,
    swift::KIND,
    vmware::KIND,
];

/// The section whose options hold for all stores that don't set their own (glance_store's
/// `SHARED_CONF_GROUP`).
const SHARED: &str = "backend_defaults";

/// A kind of store.
pub(crate) struct Kind {
    /// The name in `enabled_backends`.
    pub(crate) name: &'static str,
    /// Makes a store of this kind from its options alone: servers are asked when it is used.
    pub(crate) open: fn(&Options<'_>) -> Result<Arc<dyn Store>, SettingsError>,
}

/// The kind that an entry of `[glance_store] stores` means: its name, or that of glance_store's
/// class, as older configurations have it.
pub(crate) fn name_of(entry: &str) -> &str {
    let class = entry.strip_prefix("glance.store.").and_then(|rest| rest.strip_suffix(".Store"));
    match class {
        Some("filesystem") => "file",
        Some("vmware_datastore") => "vmware",
        Some(kind) => kind,
        None => entry,
    }
}

/// The kind of that name. `store` is who wants it, for the error.
pub(crate) fn kind(store: &str, name: &str) -> Result<&'static Kind, SettingsError> {
    KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| SettingsError::UnknownKind {
        store: store.to_owned(),
        kind: name.to_owned(),
        known: KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", "),
    })
}

/// The options of one store: those of its section, else those of `[backend_defaults]`.
pub(crate) struct Options<'a> {
    config: &'a Config,
    section: Section<'a>,
    datadir: PathBuf,
}

impl<'a> Options<'a> {
    /// The options of a section. `datadir` is where a directory is that has no option for it.
    pub(crate) fn new(config: &'a Config, section: &'a str, datadir: &Path) -> Self {
        Self { config, section: config.section(section), datadir: datadir.to_owned() }
    }

    /// Where a directory is that has no option for it.
    pub(crate) fn datadir(&self) -> PathBuf {
        self.datadir.clone()
    }

    /// The section's name.
    pub(crate) fn section(&self) -> &'a str {
        self.section.name()
    }

    /// All of the configuration, for options that stores share with others.
    pub(crate) fn config(&self) -> &'a Config {
        self.config
    }

    /// An option, where it is given.
    pub(crate) fn get<T: Value>(&self, option: &str) -> config::Result<Option<T>> {
        match self.section.get(option)? {
            Some(value) => Ok(Some(value)),
            None => self.config.section(SHARED).get(option),
        }
    }

    /// Every time that an option is given.
    pub(crate) fn all<T: Value>(&self, option: &str) -> config::Result<Vec<T>> {
        let own = self.section.all(option)?;
        if own.is_empty() { self.config.section(SHARED).all(option) } else { Ok(own) }
    }

    /// The error for an option whose value can't be.
    pub(crate) fn wrong(&self, option: &str, expected: impl Into<String>) -> config::Error {
        self.section.wrong(option, expected)
    }

    /// An option, or its default.
    pub(crate) fn or<T: Value>(&self, option: &str, default: T) -> config::Result<T> {
        Ok(self.get(option)?.unwrap_or(default))
    }
}
