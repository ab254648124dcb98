//! At a start: the files of the cache, their records and the catalog say the same again.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{CachedImage, CachedImages, Catalog};
use image::{ImageId, Status};

use super::folder::{Folder, Kept};
use super::index::Index;
use super::{OpenError, blocking};

/// Keeps the files whose images are there, and makes the records theirs. A file has its name only
/// once it is whole, so one without a record is taken as it is.
pub(super) async fn reconcile(
    folder: &Arc<Folder>,
    records: &dyn CachedImages,
    catalog: &dyn Catalog,
) -> Result<Index, OpenError> {
    let failed = |cause| OpenError::Directory { directory: folder.path().to_owned(), cause };
    let mut recorded: HashMap<ImageId, CachedImage> =
        records.all().await?.into_iter().map(|image| (image.image_id, image)).collect();
    let listed = folder.clone();
    let mut index = Index::default();
    for kept in blocking(move || listed.kept()).await.map_err(failed)? {
        if !is_wanted(catalog, kept.id).await? {
            let folder = folder.clone();
            blocking(move || folder.remove(kept.id)).await.map_err(failed)?;
            continue;
        }
        index.insert(match recorded.remove(&kept.id).filter(|image| image.size == kept.size) {
            Some(image) => image,
            None => adopt(&kept, records).await?,
        });
    }
    for id in recorded.into_keys() {
        records.remove(id).await?;
    }
    Ok(index)
}

async fn is_wanted(catalog: &dyn Catalog, id: ImageId) -> catalog::Result<bool> {
    let status = catalog.status_of(id).await?;
    Ok(status.is_some_and(|status| status.has_data() && status != Status::PendingDelete))
}

async fn adopt(kept: &Kept, records: &dyn CachedImages) -> catalog::Result<CachedImage> {
    let image = kept.record();
    let row = records.put(&image).await?;
    Ok(CachedImage { row, ..image })
}
