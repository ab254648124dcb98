//! The options of a directory store, as glance_store's `filesystem` driver has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rustix::fs::Mode;
use serde_json::{Map, Value, json};

use super::FileStore;
use super::directory::{Directory, Writing};
use crate::kind::{Kind, Options};
use crate::{Error, SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "file", open };

const ONE: &str = "filesystem_store_datadir";
const SEVERAL: &str = "filesystem_store_datadirs";
const PERMISSIONS: &str = "filesystem_store_file_perm";

/// glance_store's default of `filesystem_store_chunk_size`, in bytes.
const CHUNK_SIZE: u64 = 64 * 1024;

/// A file system that others mount too, as `filesystem_store_metadata_file` describes it.
pub(super) struct Mountpoint {
    path: String,
    metadata: Map<String, Value>,
}

impl Mountpoint {
    /// Whether a path lies in it, judged as glance_store does.
    pub(super) fn holds(&self, path: &str) -> bool {
        path.starts_with(&self.path)
    }

    /// What locations in it say.
    pub(super) fn metadata(&self) -> Map<String, Value> {
        self.metadata.clone()
    }
}

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let writing = Writing {
        mode: permissions(options)?,
        thin: options.or("filesystem_thin_provisioning", false)?,
    };
    let opened = |(path, priority): (PathBuf, i64)| {
        Directory::open(&path, priority, writing).map_err(|cause| failed(options, cause))
    };
    let directories = places(options)?.into_iter().map(opened).collect::<Result<_, _>>()?;
    let store = FileStore::over(directories);
    let properties = properties(store.path(), options)?;
    let mountpoints = mountpoints(options)?.into();
    Ok(Arc::new(FileStore { properties, mountpoints, ..store }))
}

/// The directories and their priorities: one, or several as `PATH:PRIORITY`.
fn places(options: &Options<'_>) -> Result<Vec<(PathBuf, i64)>, SettingsError> {
    let several: Vec<String> = options.all(SEVERAL)?;
    let one: Option<PathBuf> = options.get(ONE)?;
    if several.is_empty() {
        return Ok(vec![(one.unwrap_or_else(|| options.datadir()), 0)]);
    }
    if one.is_some() {
        return Err(options.wrong(SEVERAL, format!("expected either this or {ONE}")).into());
    }
    let place = |text: &String| {
        let (path, priority) = text.rsplit_once(':').unwrap_or((text, "0"));
        let priority = priority.trim();
        let priority = if priority.is_empty() { Some(0) } else { priority.parse().ok() };
        Some((PathBuf::from(path.trim()), priority?))
            .filter(|(path, _)| !path.as_os_str().is_empty())
    };
    let places: Option<Vec<_>> = several.iter().map(place).collect();
    places.ok_or_else(|| options.wrong(SEVERAL, "expected a directory as PATH:PRIORITY").into())
}

/// The digits of the number are those of an octal one; 0 leaves permissions alone.
fn permissions(options: &Options<'_>) -> Result<Option<Mode>, SettingsError> {
    let given: u32 = options.or(PERMISSIONS, 0)?;
    if given == 0 {
        return Ok(None);
    }
    let mode = u32::from_str_radix(&given.to_string(), 8).ok().map(Mode::from_raw_mode);
    let readable = mode.filter(|mode| mode.contains(Mode::RUSR));
    let wrong = || options.wrong(PERMISSIONS, "expected permissions that let the owner read");
    Ok(Some(readable.ok_or_else(wrong)?))
}

/// What Glance tells administrators. The sizes of chunks are told as they are given; the pieces in
/// which bytes are read and written here have their own.
fn properties(datadir: &Path, options: &Options<'_>) -> Result<Map<String, Value>, SettingsError> {
    Ok(Map::from_iter([
        ("data_dir".to_owned(), json!(datadir)),
        ("chunk_size".to_owned(), json!(options.or("filesystem_store_chunk_size", CHUNK_SIZE)?)),
        ("thin_provisioning".to_owned(), json!(options.or("filesystem_thin_provisioning", false)?)),
    ]))
}

/// `filesystem_store_metadata_file`: `{"id": …, "mountpoint": …}`, or a list of those.
fn mountpoints(options: &Options<'_>) -> Result<Vec<Mountpoint>, SettingsError> {
    let Some(path) = options.get::<PathBuf>("filesystem_store_metadata_file")? else {
        return Ok(Vec::new());
    };
    let io = |cause| failed(options, Error::Io { store: path.display().to_string(), cause });
    let text = fs::read_to_string(&path).map_err(io)?;
    let value = serde_json::from_str(&text).map_err(|error| io(error.into()))?;
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let expected = "expected {\"id\": TEXT, \"mountpoint\": TEXT}, or a list of those";
    let mountpoints: Option<_> = items.into_iter().map(mountpoint).collect();
    mountpoints.ok_or_else(|| io(io::Error::other(expected)))
}

fn mountpoint(value: Value) -> Option<Mountpoint> {
    let Value::Object(metadata) = value else { return None };
    metadata.get("id")?.as_str()?;
    let path = metadata.get("mountpoint")?.as_str()?.to_owned();
    Some(Mountpoint { path, metadata })
}

fn failed(options: &Options<'_>, cause: Error) -> SettingsError {
    SettingsError::Open { section: options.section().to_owned(), cause }
}
