//! The options of a store in Sheepdog, as glance_store's `sheepdog` driver had them.

use std::sync::Arc;

use super::SheepdogStore;
use super::location::Address;
use super::node::Node;
use crate::kind::{Kind, Options};
use crate::remote::Writers;
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "sheepdog", open };

const MIB: u64 = 1024 * 1024;

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let address = Address {
        host: options.or("sheepdog_store_address", "127.0.0.1".to_owned())?,
        port: options.or("sheepdog_store_port", 7000)?,
    };
    let step = match options.or("sheepdog_store_chunk_size", 64_u32)? {
        0 => {
            let expected = "expected at least 1 (MiB)";
            return Err(options.wrong("sheepdog_store_chunk_size", expected).into());
        }
        size => u64::from(size) * MIB,
    };
    Ok(Arc::new(SheepdogStore {
        node: Arc::new(Node::at(address, options.section())),
        step,
        writers: Writers::default(),
    }))
}
