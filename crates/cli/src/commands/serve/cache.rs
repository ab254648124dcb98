//! The image cache, with its records where the configuration says.

use std::sync::Arc;

use anyhow::Context;
use catalog::sql::LocalRecords;
use catalog::{CachedImages, NodeRecords, Records};
use service::cache::{Attributes, Cache, Driver, Settings};

pub(super) async fn open(settings: &Settings, catalog: Arc<dyn Records>) -> anyhow::Result<Cache> {
    std::fs::create_dir_all(&settings.directory)
        .with_context(|| format!("image_cache_dir = {}", settings.directory.display()))?;
    let records: Arc<dyn CachedImages> =
        match settings.driver {
            Driver::CentralizedDb => {
                let node = settings.node.as_deref().unwrap_or_default();
                Arc::new(NodeRecords::open(catalog.clone(), node).await?)
            }
            Driver::Sqlite => {
                let file = settings.directory.join(&settings.sqlite_file);
                let opened = LocalRecords::open(&file).await;
                Arc::new(opened.with_context(|| format!("can't open {}", file.display()))?)
            }
            Driver::Xattr => Arc::new(Attributes::open(&settings.directory).context(
                "image_cache_driver = xattr needs a file system with extended attributes",
            )?),
        };
    Ok(Cache::open(settings, records, &*catalog).await?)
}
