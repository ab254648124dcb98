//! Which reads are gathered: images by their ids, and pages of lists. A statement costs more than what
//! it finds: to a server, and to the threads that read a file.

use std::collections::HashMap;
use std::sync::Arc;

use image::{Image, ImageId};

use super::dialect::{self, Pool};
use super::gather::{Gather, Statement};
use super::indexes::Indexes;
use super::{read, visibility};
use crate::{Cause, Error, ListQuery, Result, Viewer};

/// Reads that share statements. Clones share them, too.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    images: Gather<Images>,
    pages: Gather<Pages>,
}

impl Gathered {
    pub(super) fn new(db: &Pool, indexes: Indexes) -> Self {
        let images = Gather::new(Images { db: db.clone() });
        Self { images, pages: Gather::new(Pages { db: db.clone(), indexes }) }
    }

    /// As [`read::get`]; `None` where that has to be asked.
    pub(super) async fn image(&self, viewer: &Viewer, id: ImageId) -> Option<Result<Image>> {
        own(self.images.ask((), (id, viewer.clone())).await?)
    }

    /// As [`read::list`]; `None` where that has to be asked.
    pub(super) async fn page(
        &self,
        viewer: &Viewer,
        list: &ListQuery,
    ) -> Option<Result<Vec<Image>>> {
        own(self.pages.ask((viewer.clone(), list.clone()), ()).await?)
    }
}

/// The answer for one of those who share it. A failure may be nobody's fault but another one's: who
/// asks alone has his own.
fn own<T: Clone>(answer: Arc<Result<T>>) -> Option<Result<T>> {
    match Arc::try_unwrap(answer) {
        Ok(own) => Some(own),
        Err(shared) => match &*shared {
            Ok(found) => Some(Ok(found.clone())),
            Err(error) => of_all(error).map(Err),
        },
    }
}

/// The failure as each of those has it who wait for it, where it would be no other for any of them.
fn of_all(error: &Error) -> Option<Error> {
    match error {
        Error::NotFound(id) => Some(Error::NotFound(*id)),
        Error::BadMarker(marker) => Some(Error::BadMarker(marker.clone())),
        Error::Unavailable(Cause::Database(error)) => {
            dialect::out_of_time(error).map(|error| Error::Unavailable(error.into()))
        }
        _ => None,
    }
}

/// Images by their ids.
struct Images {
    db: Pool,
}

impl Statement for Images {
    type Lane = ();
    /// Viewers of one image have their own answers.
    type Key = (ImageId, Viewer);
    type Answer = Arc<Result<Image>>;

    const AT_ONCE: usize = 2;
    const KEYS: usize = read::MOST;

    async fn answers(&self, (): &(), asked: &[Self::Key]) -> HashMap<Self::Key, Self::Answer> {
        if let [(id, viewer)] = asked {
            let found = self.of_one(viewer, *id).await;
            return [((*id, viewer.clone()), Arc::new(found))].into();
        }
        match self.of_several(asked).await {
            Ok(found) => {
                let found = found.into_iter().map(|(id, image)| (id, Arc::new(image))).collect();
                asked.iter().filter_map(|key| Some((key.clone(), shown(&found, key)?))).collect()
            }
            Err(error) if of_all(&error).is_some() => {
                let error = Arc::new(Err(error));
                asked.iter().map(|key| (key.clone(), error.clone())).collect()
            }
            Err(_) => HashMap::new(),
        }
    }
}

impl Images {
    async fn of_one(&self, viewer: &Viewer, id: ImageId) -> Result<Image> {
        read::get(&mut self.db.acquire().await?, viewer, id).await
    }

    async fn of_several(
        &self,
        asked: &[(ImageId, Viewer)],
    ) -> Result<Vec<(ImageId, Result<Image>)>> {
        let mut ids: Vec<_> = asked.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        read::several(&mut self.db.acquire().await?, ids).await
    }
}

/// What the viewer is shown of what was found. `None` where the database has to decide whether that
/// is anything.
fn shown(
    found: &HashMap<ImageId, Arc<Result<Image>>>,
    (id, viewer): &(ImageId, Viewer),
) -> Option<Arc<Result<Image>>> {
    match found.get(id) {
        None => Some(Arc::new(Err(Error::NotFound(*id)))),
        Some(answer) => {
            let image = answer.as_ref().as_ref().ok()?;
            visibility::is_certain(viewer, image).then(|| answer.clone())
        }
    }
}

/// Pages of lists.
struct Pages {
    db: Pool,
    indexes: Indexes,
}

impl Statement for Pages {
    /// Only who asks for the same waits for it.
    type Lane = (Viewer, ListQuery);
    type Key = ();
    type Answer = Arc<Result<Vec<Image>>>;

    const AT_ONCE: usize = 2;
    const KEYS: usize = 1;

    async fn answers(&self, asked: &Self::Lane, _: &[()]) -> HashMap<(), Self::Answer> {
        [((), Arc::new(self.of(asked).await))].into()
    }
}

impl Pages {
    async fn of(&self, (viewer, list): &(Viewer, ListQuery)) -> Result<Vec<Image>> {
        read::list(&mut self.db.acquire().await?, viewer, list, self.indexes).await
    }
}
