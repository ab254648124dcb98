//! Which reads are gathered: images by their ids, and pages of lists. A statement costs more than what
//! it finds: to a server, and to the threads that read a file.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    shown: Gather<Shown>,
    guests: Arc<Guests>,
    pages: Gather<Pages>,
}

impl Gathered {
    pub(super) fn new(db: &Pool, indexes: Indexes) -> Self {
        let (images, shown) = (Images { db: db.clone() }, Shown { db: db.clone() });
        Self {
            images: Gather::new(images),
            shown: Gather::new(shown),
            guests: Arc::default(),
            pages: Gather::new(Pages { db: db.clone(), indexes }),
        }
    }

    /// As [`read::get`]; `None` where that has to be asked.
    pub(super) async fn image(&self, viewer: &Viewer, id: ImageId) -> Option<Result<Image>> {
        let key = (id, viewer.clone());
        if !self.guests.have(&key) {
            match self.images.ask((), key.clone()).await? {
                Seen::Known(answer) => return own(answer),
                Seen::AsShown => {}
            }
        }
        let answer = own(self.shown.ask(viewer.clone(), id).await?)?;
        if answer.is_ok() {
            self.guests.add(key);
        }
        Some(answer)
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

/// Who was shown an image that only the database could say of whether they are: it is asked at once
/// the next time. Whether they still are, it says as well.
#[derive(Debug, Default)]
struct Guests(Mutex<HashSet<(ImageId, Viewer)>>);

impl Guests {
    /// So many are known; of more, all are forgotten.
    const MOST: usize = 4096;

    fn have(&self, key: &(ImageId, Viewer)) -> bool {
        self.known().contains(key)
    }

    fn add(&self, key: (ImageId, Viewer)) {
        let mut known = self.known();
        if known.len() == Self::MOST {
            known.clear();
        }
        known.insert(key);
    }

    fn known(&self) -> MutexGuard<'_, HashSet<(ImageId, Viewer)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Images by their ids, whoever may see them.
struct Images {
    db: Pool,
}

/// What is known of an image for a viewer.
#[derive(Clone)]
enum Seen {
    Known(Arc<Result<Image>>),
    /// The database has to decide whether it is shown.
    AsShown,
}

impl Statement for Images {
    type Lane = ();
    /// Viewers of one image have their own answers.
    type Key = (ImageId, Viewer);
    type Answer = Seen;

    const AT_ONCE: usize = 2;
    const KEYS: usize = read::MOST;

    async fn answers(&self, (): &(), asked: &[Self::Key]) -> HashMap<Self::Key, Self::Answer> {
        if let [(id, viewer)] = asked {
            let found = of_one(&self.db, viewer, *id).await;
            return [((*id, viewer.clone()), Seen::Known(Arc::new(found)))].into();
        }
        let ids = asked.iter().map(|(id, _)| *id).collect();
        match of_several(&self.db, ids, &Viewer::service()).await {
            Ok(found) => {
                let found = found.into_iter().map(|(id, image)| (id, Arc::new(image))).collect();
                asked.iter().filter_map(|key| Some((key.clone(), seen(&found, key)?))).collect()
            }
            Err(error) => for_all(error, asked, Seen::Known),
        }
    }
}

/// The failure for all of them, where it would be no other for any of them.
fn for_all<K: Clone + Eq + Hash, A, T>(
    error: Error,
    asked: &[K],
    answer: impl Fn(Arc<Result<T>>) -> A,
) -> HashMap<K, A> {
    if of_all(&error).is_none() {
        return HashMap::new();
    }
    let error = Arc::new(Err(error));
    asked.iter().map(|key| (key.clone(), answer(error.clone()))).collect()
}

async fn of_one(db: &Pool, viewer: &Viewer, id: ImageId) -> Result<Image> {
    read::get(&mut db.acquire().await?, viewer, id).await
}

async fn of_several(
    db: &Pool,
    mut ids: Vec<ImageId>,
    viewer: &Viewer,
) -> Result<Vec<(ImageId, Result<Image>)>> {
    ids.sort_unstable();
    ids.dedup();
    read::several(&mut db.acquire().await?, ids, viewer).await
}

/// What the viewer sees of what was found. `None` where it can't be read.
fn seen(
    found: &HashMap<ImageId, Arc<Result<Image>>>,
    (id, viewer): &(ImageId, Viewer),
) -> Option<Seen> {
    let Some(answer) = found.get(id) else {
        return Some(Seen::Known(Arc::new(Err(Error::NotFound(*id)))));
    };
    let image = answer.as_ref().as_ref().ok()?;
    Some(match visibility::is_certain(viewer, image) {
        true => Seen::Known(answer.clone()),
        false => Seen::AsShown,
    })
}

/// Images by their ids, as they are shown to one viewer.
struct Shown {
    db: Pool,
}

impl Statement for Shown {
    type Lane = Viewer;
    type Key = ImageId;
    type Answer = Arc<Result<Image>>;

    const AT_ONCE: usize = 2;
    const KEYS: usize = read::MOST;

    async fn answers(&self, viewer: &Viewer, asked: &[ImageId]) -> HashMap<ImageId, Self::Answer> {
        if let [id] = asked {
            return [(*id, Arc::new(of_one(&self.db, viewer, *id).await))].into();
        }
        match of_several(&self.db, asked.to_vec(), viewer).await {
            Ok(found) => {
                let mut found: HashMap<_, _> = found.into_iter().collect();
                let answer = |id: &ImageId| match found.remove(id) {
                    // What can't be read is said to who asks alone.
                    Some(Err(_)) => None,
                    Some(image) => Some((*id, Arc::new(image))),
                    None => Some((*id, Arc::new(Err(Error::NotFound(*id))))),
                };
                asked.iter().filter_map(answer).collect()
            }
            Err(error) => for_all(error, asked, |answer| answer),
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
