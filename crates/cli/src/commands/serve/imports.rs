//! What imports and tasks are started with.

use std::sync::Arc;

use catalog::Records;
use config::Config;
use service::{ImportSettings, Imports};
use store::Stores;

/// Imports into the images of a catalog. `keystone` is where tokens come from, if anybody knows.
pub(super) fn open(
    config: &Config,
    worker: &str,
    keystone: Option<String>,
    public_endpoint: Option<String>,
    stores: &Stores,
    catalog: Arc<dyn Records>,
) -> anyhow::Result<Arc<Imports>> {
    let settings = ImportSettings::from_config(config, worker)?
        .with_keystone(keystone)
        .with_public_endpoint(public_endpoint);
    let staging = stores.staging()?.clone();
    Ok(Arc::new(Imports::new(settings, staging, catalog)))
}
