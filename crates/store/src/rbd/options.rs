//! The options of a store in Ceph, as glance_store's `rbd` driver has them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::Value;

use super::RbdStore;
use super::ceph::{Access, Shape};
use super::connection::Connection;
use super::remove::Cloned;
use super::write::Layout;
use crate::kind::{Kind, Options};
use crate::{Cleanups, SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "rbd", open };

const CHUNK_SIZE: &str = "rbd_store_chunk_size";

/// An object's sizes, in MiB: librbd takes powers of two from 4 KiB to 32 MiB.
const LARGEST_CHUNK: u64 = 32;

impl Value for Cloned {
    const KIND: &'static str = "'refuse', 'trash' or 'flatten'";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "trash" => Some(Self::Trash),
            "flatten" => Some(Self::Flatten),
            _ => None,
        }
    }
}

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let chunk: u64 = options.or(CHUNK_SIZE, 8)?;
    if !(1..=LARGEST_CHUNK).contains(&chunk) {
        return Err(options.wrong(CHUNK_SIZE, "expected 1 to 32 (MiB)").into());
    }
    let thin = options.or("rbd_thin_provisioning", false)?;
    let connection = Connection::of(options.section().to_owned(), access(options)?);
    Ok(Arc::new(RbdStore {
        connection: Arc::new(connection),
        pool: options.or("rbd_store_pool", "images".to_owned())?,
        chunk,
        // Other sizes than powers of two are rounded down, as in Glance. A MiB is 2^20.
        layout: Layout { shape: Shape { order: 20 + chunk.ilog2() as u8 }, thin },
        clones: options.or("rbd_store_clone_copies", true)?,
        cloned: options.or("rbd_store_cloned_images", Cloned::Trash)?,
        cleanups: Cleanups::default(),
    }))
}

fn access(options: &Options<'_>) -> Result<Access, SettingsError> {
    let given =
        |option| Ok::<_, SettingsError>(options.get::<String>(option)?.filter(|t| !t.is_empty()));
    let timeout: i64 = options.or("rados_connect_timeout", -1)?;
    Ok(Access {
        conf: given("rbd_store_ceph_conf")?.map(PathBuf::from),
        user: given("rbd_store_user")?,
        // What is negative is none.
        timeout: u64::try_from(timeout).ok().map(Duration::from_secs),
        settings: Vec::new(),
    })
}
