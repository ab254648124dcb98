//! What imports and tasks are started with.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use catalog::Records;
use config::Config;
use service::{ImportSettings, Imports};
use store::Stores;

/// The file of the state directory that names this service among those on the same catalog.
const NAME: &str = "worker";

/// Imports into the images of a catalog. `keystone` is where tokens come from, if anybody knows.
pub(super) fn open(
    config: &Config,
    state: &Path,
    keystone: Option<String>,
    public_endpoint: Option<String>,
    stores: &Stores,
    catalog: Arc<dyn Records>,
) -> anyhow::Result<Arc<Imports>> {
    let settings = ImportSettings::from_config(config, &name(state)?)?
        .with_keystone(keystone)
        .with_public_endpoint(public_endpoint);
    let staging = stores.staging()?.clone();
    Ok(Arc::new(Imports::new(settings, staging, catalog)))
}

/// The same name from start to start: by it a service finds the tasks that it left unfinished.
fn name(state: &Path) -> anyhow::Result<String> {
    let path = state.join(NAME);
    match fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("can't read {}", path.display()));
        }
        _ => {}
    }
    let name = uuid::Uuid::new_v4().to_string();
    fs::write(&path, &name).with_context(|| format!("can't write {}", path.display()))?;
    Ok(name)
}
