//! The options of a directory store, as glance_store's `filesystem` driver has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::FileStore;
use crate::kind::{Kind, Options};
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "file", open };

/// glance_store's default of `filesystem_store_datadir`.
const DATADIR: &str = "/var/lib/glance/images";

/// glance_store's default of `filesystem_store_chunk_size`, in bytes.
const CHUNK_SIZE: u64 = 64 * 1024;

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let datadir: PathBuf = options.or("filesystem_store_datadir", DATADIR.into())?;
    let properties = properties(&datadir, options)?;
    let store = FileStore::open(&datadir)
        .map_err(|cause| SettingsError::Open { section: options.section().to_owned(), cause })?;
    Ok(Arc::new(store.described(properties)))
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
