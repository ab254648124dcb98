//! An open image.

use std::ffi::{CStr, c_char, c_int};
use std::sync::Arc;

use tokio::runtime;
use tokio::sync::watch;

use super::failure::{checked, name};
use super::library::{Handle, Library, LinkedImage, Watcher};
use super::{Failure, Pool};

/// How many watchers of an image are told of, at most.
const WATCHERS: usize = 16;

/// How many clones of a snapshot there is room for at first.
const CLONES: usize = 16;

/// `RBD_OPERATION_FEATURE_CLONE_PARENT`: there are clones of the second format.
const CLONE_PARENT: u64 = 1;

/// A clone of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rbd) struct Child {
    /// The pool that it is in.
    pub(in crate::rbd) pool: String,
    /// Its name.
    pub(in crate::rbd) name: String,
    /// Whether it is in that pool's trash.
    pub(in crate::rbd) in_trash: bool,
}

/// An open image, or a snapshot of one. Clones are the same one, and so are reads and writes that are
/// under way; with the last of them it is closed.
#[derive(Clone)]
pub(in crate::rbd) struct Image(Arc<Opened>);

/// What is closed with the last of its users. They may be threads of librbd itself, which can't
/// wait for that: closing is left to a thread of the runtime.
struct Opened {
    live: Option<Live>,
    runtime: runtime::Handle,
}

/// An image that is not closed. Dropped as it is, it stays open: at the end of the process.
struct Live {
    pool: Arc<Pool>,
    handle: Handle,
    closed: watch::Sender<()>,
}

// SAFETY: librbd's functions on an image may be called by any thread at any time.
unsafe impl Send for Live {}
// SAFETY: as above.
unsafe impl Sync for Live {}

/// Tells when an image is closed.
pub(in crate::rbd) struct Closed(watch::Receiver<()>);

impl Closed {
    /// Waits until the image is closed.
    pub(in crate::rbd) async fn wait(mut self) {
        // Nothing is ever sent: it ends with the sender.
        while self.0.changed().await.is_ok() {}
    }
}

impl Image {
    /// An image that was just opened. On a thread of the runtime.
    pub(super) fn opened(pool: Arc<Pool>, handle: Handle) -> Self {
        let live = Some(Live { pool, handle, closed: watch::Sender::new(()) });
        Self(Arc::new(Opened { live, runtime: runtime::Handle::current() }))
    }

    fn live(&self) -> &Live {
        self.0.live.as_ref().expect("it is taken only when nobody has the image any more")
    }

    pub(super) fn library(&self) -> &'static Library {
        self.live().pool.library()
    }

    pub(super) fn handle(&self) -> Handle {
        self.live().handle
    }

    /// Tells when the image is closed.
    pub(in crate::rbd) fn closed(&self) -> Closed {
        Closed(self.live().closed.subscribe())
    }

    /// Closes the image on this thread, unless others have it still.
    pub(in crate::rbd) fn close(self) {
        if let Some(live) = Arc::into_inner(self.0).and_then(|mut opened| opened.live.take()) {
            live.close();
        }
    }

    /// How many bytes it has.
    pub(in crate::rbd) fn size(&self) -> Result<u64, Failure> {
        let mut size = 0;
        // SAFETY: the image is open, the place takes a number.
        let returned = unsafe { (self.library().rbd.rbd_get_size)(self.handle(), &mut size) };
        checked("ask for the image's size", returned)?;
        Ok(size)
    }

    /// Gives it another size, in bytes. What is cut off is gone.
    pub(in crate::rbd) fn resize(&self, size: u64) -> Result<(), Failure> {
        // SAFETY: the image is open.
        let returned = unsafe { (self.library().rbd.rbd_resize)(self.handle(), size) };
        checked("resize the image", returned).map(drop)
    }

    /// Takes a snapshot. Errors: there is one of that name.
    pub(in crate::rbd) fn snapshot(&self, snapshot: &str) -> Result<(), Failure> {
        self.named("take a snapshot of the image", self.library().rbd.rbd_snap_create, snapshot)
    }

    /// Removes a snapshot. One that has clones of the second format stays unseen until they are
    /// gone. Errors: it is protected, or not there.
    pub(in crate::rbd) fn remove_snapshot(&self, snapshot: &str) -> Result<(), Failure> {
        self.named("remove the image's snapshot", self.library().rbd.rbd_snap_remove, snapshot)
    }

    /// Protects a snapshot, so that others can be clones of it. Errors: it is not there.
    pub(in crate::rbd) fn protect(&self, snapshot: &str) -> Result<(), Failure> {
        self.named("protect the image's snapshot", self.library().rbd.rbd_snap_protect, snapshot)
    }

    /// Ends the protection of a snapshot. Errors: it has clones (`EBUSY`), is not protected
    /// (`EINVAL`), or not there.
    pub(in crate::rbd) fn unprotect(&self, snapshot: &str) -> Result<(), Failure> {
        let unprotect = self.library().rbd.rbd_snap_unprotect;
        self.named("unprotect the image's snapshot", unprotect, snapshot)
    }

    fn named(
        &self,
        doing: &'static str,
        call: unsafe extern "C" fn(Handle, *const c_char) -> c_int,
        snapshot: &str,
    ) -> Result<(), Failure> {
        let snapshot = name(snapshot)?;
        // SAFETY: the image is open, the name a string; the calls are those above.
        checked(doing, unsafe { call(self.handle(), snapshot.as_ptr()) }).map(drop)
    }

    /// Copies into a clone what it has of its parent, of which it is none any more.
    pub(in crate::rbd) fn flatten(&self) -> Result<(), Failure> {
        // SAFETY: the image is open.
        let returned = unsafe { (self.library().rbd.rbd_flatten)(self.handle()) };
        checked("flatten the image", returned).map(drop)
    }

    /// Whether there are clones of the second format, which don't need a snapshot's protection.
    pub(in crate::rbd) fn has_free_clones(&self) -> Result<bool, Failure> {
        let mut features = 0;
        let rbd = &self.library().rbd;
        // SAFETY: the image is open, the place takes a number.
        let returned = unsafe { (rbd.rbd_get_op_features)(self.handle(), &mut features) };
        checked("ask for the image's features", returned)?;
        Ok(features & CLONE_PARENT != 0)
    }

    /// The clones of the snapshot that was opened.
    pub(in crate::rbd) fn children(&self) -> Result<Vec<Child>, Failure> {
        let rbd = &self.library().rbd;
        let mut room = CLONES;
        loop {
            let (mut children, mut count) = (Vec::<LinkedImage>::with_capacity(room), room);
            // SAFETY: the image is open, the place as long as is said.
            let returned = unsafe {
                (rbd.rbd_list_children3)(self.handle(), children.as_mut_ptr(), &mut count)
            };
            if returned == -libc::ERANGE {
                // There may be more of them by now.
                room = count.max(room) * 2;
                continue;
            }
            checked("ask for the image's clones", returned)?;
            let text = |text: *const c_char| {
                // SAFETY: what was filled in are strings, freed after this.
                unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
            };
            // SAFETY: as many were filled in.
            unsafe { children.set_len(count) };
            let found = children.iter().map(|child| Child {
                pool: text(child.pool),
                name: text(child.name),
                in_trash: child.in_trash,
            });
            let found = found.collect();
            // SAFETY: they are what was filled in, and freed once.
            unsafe { (rbd.rbd_linked_image_spec_list_cleanup)(children.as_mut_ptr(), count) };
            return Ok(found);
        }
    }

    /// The addresses of those that have the image open, where others see it; not all of very many.
    pub(in crate::rbd) fn watchers(&self) -> Result<Vec<String>, Failure> {
        let (mut watchers, mut count) = (Vec::<Watcher>::with_capacity(WATCHERS), WATCHERS);
        let rbd = &self.library().rbd;
        // SAFETY: the image is open, the place as long as is said.
        let returned =
            unsafe { (rbd.rbd_watchers_list)(self.handle(), watchers.as_mut_ptr(), &mut count) };
        if returned == -libc::ERANGE {
            return Ok(vec![format!("{count} clients")]);
        }
        checked("ask who has the image open", returned)?;
        // SAFETY: as many were filled in; their addresses are strings, freed after this.
        let addresses = unsafe {
            watchers.set_len(count);
            let address = |watcher: &Watcher| CStr::from_ptr(watcher.address).to_string_lossy();
            let addresses = watchers.iter().map(|watcher| address(watcher).into_owned()).collect();
            (rbd.rbd_watchers_list_cleanup)(watchers.as_mut_ptr(), count);
            addresses
        };
        Ok(addresses)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            self.runtime.spawn_blocking(move || live.close());
        }
    }
}

impl Live {
    fn close(self) {
        // SAFETY: the handle is ours, and nobody uses it any more.
        let returned = unsafe { (self.pool.library().rbd.rbd_close)(self.handle) };
        if let Err(error) = checked("close the image", returned) {
            tracing::warn!(%error, "an image of Ceph");
        }
    }
}
