//! The stores that a configuration enables, in both of Glance's ways: several with names
//! (`[DEFAULT] enabled_backends`), or the ones of `[glance_store]`, which clients don't see.

use std::path::{Path, PathBuf};

use config::Config;
use thiserror::Error;

use crate::kind::{self, Options};
use crate::set::Naming;
use crate::{Enabled, FileStore, Reserved, Stores};

/// Names that begin so are Glance's own.
const RESERVED: &str = "os_glance_";

/// The reserved stores, each a directory.
const STAGING: &str = "os_glance_staging_store";
const TASKS: &str = "os_glance_tasks_store";

/// The section of the stores that clients don't see, and of what concerns all.
pub(crate) const GLANCE_STORE: &str = "glance_store";

/// The option of the `file` kind that names its directory.
const DATADIR: &str = "filesystem_store_datadir";

/// The option that names several of them.
const DATADIRS: &str = "filesystem_store_datadirs";

/// Where Glance keeps its reserved stores.
const GLANCE_STATE: &str = "/var/lib/glance";

/// What is wrong with the configuration of stores.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// An option's value can't be.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A kind of store that there is none of.
    #[error(
        "store '{store}' is of the kind '{kind}', which this version does not know; it knows {known}"
    )]
    UnknownKind {
        /// The store.
        store: String,
        /// Its kind.
        kind: String,
        /// The kinds that there are.
        known: String,
    },
    /// A store has a name that belongs to Glance.
    #[error("[DEFAULT] enabled_backends: '{0}': names that begin with os_glance_ are reserved")]
    ReservedName(String),
    /// Several stores, and none is the default.
    #[error("[glance_store] default_backend is not set: it names the store that takes new images")]
    NoDefault,
    /// The default store is not enabled.
    #[error("[glance_store] {option} = {name}: no store of that name is enabled")]
    UnknownDefault {
        /// The option that names it.
        option: &'static str,
        /// The name.
        name: String,
    },
    /// Two stores have the same name.
    #[error("enabled_backends names the store '{0}' twice")]
    Twice(String),
    /// A store can't be opened.
    #[error("[{section}] can't open the store: {cause}")]
    Open {
        /// The section of its options.
        section: String,
        /// Why.
        #[source]
        cause: crate::Error,
    },
}

impl Stores {
    /// The stores that `config` enables. Where it names none, they lie under `state`: one store
    /// `file` in `images`, and the reserved ones beside it.
    /// Errors: `SettingsError`, each with the option that is wrong.
    pub fn from_config(config: &Config, state: &Path) -> Result<Self, SettingsError> {
        let backends: Option<Vec<String>> = config.default_section().get("enabled_backends")?;
        match backends.filter(|backends| !backends.is_empty()) {
            Some(backends) => several(config, &backends),
            None => unnamed(config, state),
        }
    }
}

/// `enabled_backends = NAME:KIND,…`, and a section for each name.
fn several(config: &Config, backends: &[String]) -> Result<Stores, SettingsError> {
    let mut enabled: Vec<Enabled> = Vec::new();
    for backend in backends {
        let store = named(config, backend)?;
        if enabled.iter().any(|other| other.name == store.name) {
            return Err(SettingsError::Twice(store.name));
        }
        enabled.push(store);
    }
    let default = config.section(GLANCE_STORE).get::<String>("default_backend")?;
    let default = default.ok_or(SettingsError::NoDefault)?;
    let in_glance = |name| Path::new(GLANCE_STATE).join(name);
    let reserved = Reserved {
        staging: reserved(config, STAGING, in_glance(STAGING))?,
        tasks: reserved(config, TASKS, in_glance(TASKS))?,
    };
    Stores::new(enabled, &default, Naming::Seen)
        .map(|stores| stores.with_reserved(reserved))
        .map_err(|unknown| SettingsError::UnknownDefault {
            option: "default_backend",
            name: unknown.0,
        })
}

fn named(config: &Config, backend: &str) -> Result<Enabled, SettingsError> {
    let wrong = || config.default_section().wrong("enabled_backends", "expected name:kind pairs");
    let (name, kind) = backend.split_once(':').ok_or_else(wrong)?;
    let (name, kind) = (name.trim(), kind.trim());
    if name.starts_with(RESERVED) {
        return Err(SettingsError::ReservedName(name.to_owned()));
    }
    // glance_store's default, also of stores with names.
    let options = Options::new(config, name, &Path::new(GLANCE_STATE).join("images"));
    Ok(Enabled {
        name: name.to_owned(),
        description: options.get("store_description")?,
        weight: options.or("weight", 0)?,
        store: (kind::kind(name, kind)?.open)(&options)?,
    })
}

/// `[glance_store] stores` and `default_store`, which name kinds.
fn unnamed(config: &Config, state: &Path) -> Result<Stores, SettingsError> {
    let given: Option<Vec<String>> = config.section(GLANCE_STORE).get("stores")?;
    // Whoever names stores means those of a Glance, with glance_store's default.
    let root = if given.is_some() { Path::new(GLANCE_STATE) } else { state };
    let options = Options::new(config, GLANCE_STORE, &root.join("images"));
    let default: String = options.or("default_store", "file".to_owned())?;
    let placed =
        options.get::<PathBuf>(DATADIR)?.is_some() || !options.all::<String>(DATADIRS)?.is_empty();
    // Glance's stores have names for clients only where `enabled_backends` gives them.
    let naming = match given.is_some() || placed {
        true => Naming::Hidden,
        false => Naming::Seen,
    };
    // glance_store's default of `stores`.
    let usual = || vec!["file".to_owned(), "http".to_owned()];
    let kinds = match (given, naming) {
        (Some(given), _) => kinds_of(&given),
        (None, Naming::Hidden) => usual(),
        (None, Naming::Seen) => vec![default.clone()],
    };
    let open = |kind: &String| -> Result<Enabled, SettingsError> {
        let store = (kind::kind(kind, kind)?.open)(&options)?;
        Ok(Enabled { name: kind.clone(), description: None, weight: 0, store })
    };
    let enabled = kinds.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    // glance_store names the default by a scheme, as `vsphere` of the kind `vmware`.
    let meant = |enabled: &&Enabled| {
        enabled.name == default || enabled.store.schemes().contains(&default.as_str())
    };
    let default = enabled.iter().find(meant).map_or(default.clone(), |found| found.name.clone());
    let reserved = unnamed_reserved(config, state)?;
    Stores::new(enabled, &default, naming).map(|stores| stores.with_reserved(reserved)).map_err(
        |unknown| SettingsError::UnknownDefault { option: "default_store", name: unknown.0 },
    )
}

/// The kinds that entries name, each once.
fn kinds_of(entries: &[String]) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for kind in entries.iter().map(|entry| kind::name_of(entry)) {
        if !kinds.iter().any(|known| known == kind) {
            kinds.push(kind.to_owned());
        }
    }
    kinds
}

/// `node_staging_uri`, a `file://` URI, and `[task] work_dir`.
fn unnamed_reserved(config: &Config, state: &Path) -> Result<Reserved, SettingsError> {
    let options = config.default_section();
    let staging = match options.get::<String>("node_staging_uri")? {
        None => state.join("staging"),
        Some(uri) => match uri.strip_prefix("file://") {
            Some(path) => path.into(),
            None => {
                return Err(options.wrong("node_staging_uri", "expected a file:// URI").into());
            }
        },
    };
    let tasks = config.section("task").or("work_dir", state.join("tasks"))?;
    Ok(Reserved { staging: directory(STAGING, &staging)?, tasks: directory(TASKS, &tasks)? })
}

fn reserved(config: &Config, name: &str, default: PathBuf) -> Result<FileStore, SettingsError> {
    directory(name, &config.section(name).or(DATADIR, default)?)
}

fn directory(section: &str, path: &Path) -> Result<FileStore, SettingsError> {
    FileStore::open(path)
        .map_err(|cause| SettingsError::Open { section: section.to_owned(), cause })
}

#[cfg(test)]
mod tests;
