//! What is left in stores of bytes that are nobody's: of uploads and imports that failed while a store
//! was away, and of images that were deleted then.
//!
//! It is noted in the catalog before the image is given up, so that no end of this service loses it, and
//! removed once the store answers, by any service that has the store. Whoever removes has the image to
//! itself meanwhile: of one that is queued nobody else receives bytes, one that has its bytes elsewhere
//! is locked as for an import. What a location of the image's record names is nobody's leftover.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use catalog::{Leftover, Records, Result, Viewer};
use futures::future;
use image::{Event, ImageId, Status, Timestamp};
use store::{Source, Store, Written};

use crate::app::App;
use crate::imports;
use crate::watch::{Watch, at_each_beat};

/// How long a store may take to say that it answers.
const ANSWER: Duration = Duration::from_secs(10);

/// The longest pause between two tries to remove the same.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is left, as the catalog knows it.
pub struct Leftovers {
    records: Arc<dyn Records>,
    /// What the catalog could not be told yet.
    unnoted: Mutex<HashSet<(ImageId, String)>>,
    /// What is removed here as its record loses it.
    going: Mutex<HashSet<Leftover>>,
}

impl Leftovers {
    /// Those of a catalog.
    pub fn new(records: Arc<dyn Records>) -> Self {
        Self { records, unnoted: Mutex::default(), going: Mutex::default() }
    }

    /// Notes that something may be left at an image's place in a store. Where the catalog is away, that
    /// is done later, unless the service ends before: see [`are_noted`](Self::are_noted).
    pub(crate) async fn note(&self, image: ImageId, store: &str) {
        self.unnoted().insert((image, store.to_owned()));
        if let Err(error) = self.tell(image, store).await {
            tracing::warn!(%image, store, %error, "what is left in a store is not noted yet");
        }
    }

    /// Whether the catalog knows all that was noted of an image. Where it does not, the note of the
    /// upload, or the task, has to stay, for whoever takes that over looks everywhere.
    pub(crate) fn are_noted(&self, image: ImageId) -> bool {
        self.unnoted().iter().all(|(unnoted, _)| *unnoted != image)
    }

    async fn tell(&self, image: ImageId, store: &str) -> Result<()> {
        self.records.note_leftover(image, store).await?;
        self.unnoted().remove(&(image, store.to_owned()));
        Ok(())
    }

    async fn tell_all(&self, store: &str) -> Result<()> {
        let unnoted: Vec<_> = self.unnoted().iter().cloned().collect();
        for (image, _) in unnoted.iter().filter(|(_, place)| place == store) {
            self.tell(*image, store).await?;
        }
        Ok(())
    }

    fn unnoted(&self) -> MutexGuard<'_, HashSet<(ImageId, String)>> {
        self.unnoted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an image is about to lose in these stores, for who removes it then.
    pub(crate) fn losing<'a>(
        self: &Arc<Self>,
        image: ImageId,
        stores: impl IntoIterator<Item = &'a str>,
    ) -> Losing {
        let stores: BTreeSet<_> = stores.into_iter().collect();
        let left: Vec<_> = stores.iter().map(|store| Leftover::going(image, store)).collect();
        self.going().extend(left.iter().cloned());
        Losing { left, leftovers: self.clone() }
    }

    fn going(&self) -> MutexGuard<'_, HashSet<Leftover>> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a record loses and who has this removes: it is noted in the catalog with the record's change, so
/// that [`tend`] of any service does so where it does not come to that.
pub(crate) struct Losing {
    /// To be noted with the change.
    pub(crate) left: Vec<Leftover>,
    leftovers: Arc<Leftovers>,
}

impl Losing {
    /// Forgets what has gone. What these stores keep is tried again from now on.
    pub(crate) async fn end(self, kept: &HashSet<&str>) {
        for left in self.left.iter().filter(|left| !kept.contains(left.store.as_str())) {
            if let Err(error) = self.leftovers.records.forget_leftover(left).await {
                let (image, store) = (left.image, &left.store);
                tracing::warn!(%image, store, %error, "what was removed stays noted for a while");
            }
        }
    }
}

impl Drop for Losing {
    fn drop(&mut self) {
        let mut going = self.leftovers.going();
        going.retain(|left| !self.left.contains(left));
    }
}

/// A store, by its name.
type Place<'a> = (&'a str, &'a Arc<dyn Store>);

/// Writes an image's bytes to a store, by whoever has the image to itself: what was left there makes room
/// first, and what is left of a put that failed is seen to.
pub(crate) async fn put(
    app: &App,
    image: ImageId,
    (name, store): Place<'_>,
    length: Option<u64>,
    source: Source,
) -> store::Result<Written> {
    make_room(app, image, name).await;
    let written = store.put(image, length, source).await;
    if let Err(error) = &written {
        after_put(app, image, name, error).await;
    }
    written
}

/// Sees to what a put may have left that failed.
pub(crate) async fn after_put(app: &App, image: ImageId, store: &str, error: &store::Error) {
    match error {
        // What is there already is another's.
        store::Error::Exists(_) | store::Error::ReadOnly(_) => {}
        store::Error::Unavailable { .. } => app.leftovers.note(image, store).await,
        // The store has removed it, unless it went away meanwhile.
        _ => drop(clear(app, image, store).await),
    }
}

/// Removes what may be left at an image's place in a store, by whoever has the image to itself; what
/// can't be removed now is noted. Says whether there was anything.
pub(crate) async fn clear(app: &App, image: ImageId, store: &str) -> bool {
    let Ok((name, bytes)) = app.stores.get(Some(store)) else { return false };
    let place = (name, bytes);
    let left =
        if answers(app, place).await { discard(app, image, place).await } else { Left::Stays };
    if left == Left::Stays {
        app.leftovers.note(image, name).await;
    }
    left == Left::Removed
}

/// The same in all stores, at the same time.
pub(crate) async fn clear_all(app: &App, image: ImageId) -> usize {
    let cleared = app.stores.iter().map(|(name, _)| clear(app, image, name));
    future::join_all(cleared).await.into_iter().filter(|found| *found).count()
}

/// Removes what is known to be left at an image's place in a store, for whoever is about to write there
/// and has the image to itself.
pub(crate) async fn make_room(app: &App, image: ImageId, store: &str) {
    let Ok((name, bytes)) = app.stores.get(Some(store)) else { return };
    let place = (name, bytes);
    let known = match app.leftovers.records.leftovers(name).await {
        Ok(known) => known,
        Err(error) => return tracing::warn!(%image, store, %error, "leftovers are not known"),
    };
    let Some(left) = known.into_iter().find(|left| left.image == image) else { return };
    if answers(app, place).await
        && discard(app, image, place).await != Left::Stays
        && let Err(error) = app.leftovers.records.forget_leftover(&left).await
    {
        tracing::warn!(%image, store, %error, "a leftover that was removed stays noted");
    }
}

/// Removes what is left in the stores that answer, once.
pub(crate) async fn remove_all(app: &App) -> Result<()> {
    let removed = app.stores.iter().map(|(name, store)| {
        let mut tries = Tries::default();
        async move { remove_in(app, (name, store), &mut tries).await }
    });
    future::try_join_all(removed).await.map(drop)
}

/// Removes what is left in each store once it answers, until this is dropped. A store that hangs holds
/// up no other one.
pub(crate) async fn tend(app: &App) {
    let tended = app.stores.iter().map(|(name, store)| async move {
        let mut tries = Tries::default();
        let remove = async || remove_in(app, (name, store), &mut tries).await;
        at_each_beat("what is left in a store can't be removed", remove).await;
    });
    future::join_all(tended).await;
}

async fn remove_in(app: &App, place: Place<'_>, tries: &mut Tries) -> Result<()> {
    app.leftovers.tell_all(place.0).await?;
    let known = app.leftovers.records.leftovers(place.0).await?;
    if place.1.abilities().needs_caller {
        return give_up(app, &known).await;
    }
    tries.look(&known, &app.leftovers.going(), Instant::now());
    let due: Vec<_> = known.iter().filter(|left| tries.is_due(left)).collect();
    if due.is_empty() || !answers(app, place).await {
        return Ok(());
    }
    for left in due {
        match remove(app, left, place).await? {
            Left::Stays => tries.failed(left),
            // Of what a server that hung had taken already, some may come after that: it is looked
            // for again.
            Left::Removed => {
                tracing::warn!(image = %left.image, store = place.0, "removed what was left");
            }
            Left::Nothing => app.leftovers.records.forget_leftover(left).await?,
        }
    }
    Ok(())
}

/// What only its owner may remove is removed by no service.
async fn give_up(app: &App, known: &[Leftover]) -> Result<()> {
    for Leftover { image, store, .. } in known {
        tracing::error!(%image, store, "image data may stay in its owner's account");
    }
    let forgotten = known.iter().map(|left| app.leftovers.records.forget_leftover(left));
    future::try_join_all(forgotten).await.map(drop)
}

/// When what could not be removed is tried again: the later, the longer that goes on.
#[derive(Default)]
struct Tries {
    tried: HashMap<ImageId, (Instant, Instant)>,
    going: Watch<Leftover>,
    /// What others have not removed for so long that they may be dead.
    stuck: HashSet<Leftover>,
}

impl Tries {
    fn is_due(&self, left: &Leftover) -> bool {
        if left.is_going && !self.stuck.contains(left) {
            return false;
        }
        self.tried.get(&left.image).is_none_or(|(first, last)| {
            last.elapsed() >= (last.duration_since(*first) / 4).min(LONGEST_PAUSE)
        })
    }

    fn failed(&mut self, left: &Leftover) {
        let now = Instant::now();
        self.tried.entry(left.image).or_insert((now, now)).1 = now;
    }

    /// Takes what is noted now, and what of that is removed here.
    fn look(&mut self, known: &[Leftover], here: &HashSet<Leftover>, now: Instant) {
        self.tried.retain(|image, _| known.iter().any(|left| left.image == *image));
        // All that can be seen of who removes it is that it is still noted.
        let sign = Timestamp::from_microsecond(0);
        let others = known.iter().filter(|left| left.is_going && !here.contains(left));
        let signs = others.map(|left| (left.clone(), sign));
        self.stuck = self.going.silent(signs, now);
    }
}

/// What has become of something that may have been left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Removed,
    /// There is none.
    Nothing,
    /// It can't be removed now.
    Stays,
}

/// Removes what is left, if the image can be had alone: while somebody else brings bytes, those may be
/// at the same place.
async fn remove(app: &App, left: &Leftover, place: Place<'_>) -> Result<Left> {
    let image = left.image;
    match app.receiving.begin(image, Event::BeginUpload).await {
        Ok(receipt) => {
            let removed = discard(app, image, place).await;
            receipt.end().await;
            Ok(removed)
        }
        Err(catalog::Error::NotFound(_)) => match app.catalog.status_of(image).await? {
            // It may be restored; else it is deleted in the end.
            Some(Status::PendingDelete) => Ok(Left::Stays),
            _ => Ok(discard(app, image, place).await),
        },
        Err(catalog::Error::Conflict { status: Status::Active | Status::Deactivated, .. }) => {
            let removed = imports::alone(app, image, discard(app, image, place)).await?;
            Ok(removed.unwrap_or(Left::Stays))
        }
        Err(catalog::Error::Conflict { .. }) => Ok(Left::Stays),
        Err(error) => Err(error),
    }
}

/// Removes what is at the image's place in a store, unless its record says that it is there, or may
/// say so soon.
async fn discard(app: &App, image: ImageId, (name, store): Place<'_>) -> Left {
    let held: Result<Option<Left>> = async {
        match is_held(app, image, name).await? {
            true => Ok(Some(Left::Nothing)),
            false => Ok(imports::is_attaching(app, image).await?.then_some(Left::Stays)),
        }
    }
    .await;
    match held {
        Ok(None) => {}
        Ok(Some(left)) => return left,
        Err(error) => {
            tracing::warn!(%image, store = name, %error, "leftover stays for now");
            return Left::Stays;
        }
    }
    match store.discard(image).await {
        Ok(true) => Left::Removed,
        Ok(false) | Err(store::Error::ReadOnly(_)) => Left::Nothing,
        // Besides what is away: a cluster may take bytes for being written for a while after their
        // writer has gone.
        Err(error) => {
            tracing::warn!(%image, store = name, %error, "leftover stays for now");
            Left::Stays
        }
    }
}

async fn is_held(app: &App, image: ImageId, store: &str) -> Result<bool> {
    match app.catalog.get(&Viewer::service(), image).await {
        Ok(image) => {
            Ok(image.locations.iter().any(|location| app.stores.may_be_in(store, location)))
        }
        Err(catalog::Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn answers(app: &App, (name, store): Place<'_>) -> bool {
    match app.health.probed(name, store, ANSWER).await {
        Some(Ok(())) => true,
        Some(Err(error)) => {
            tracing::debug!(store = name, %error, "the store does not answer");
            false
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_removes_is_due_once_it_is_stuck() {
        let left = Leftover::going(ImageId::random(), "store");
        let (known, nobodys) = ([left.clone()], HashSet::new());
        let (mut tries, began) = (Tries::default(), Instant::now());
        let due = |tries: &mut Tries, second: u64, here: &HashSet<Leftover>| {
            tries.look(&known, here, began + Duration::from_secs(second));
            tries.is_due(&left)
        };
        let looks: Vec<_> = (0..8).map(|look| due(&mut tries, 5 * look, &nobodys)).collect();
        assert_eq!(looks, [false, false, false, false, false, false, true, true]);
        assert!(!due(&mut tries, 40, &HashSet::from([left.clone()])), "it is removed here");
    }
}
