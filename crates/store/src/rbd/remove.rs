//! The end of an image: its snapshot is unprotected and removed, then the image. What becomes of one
//! that has clones is the operator's choice.

use std::sync::Arc;

use super::ceph::{Child, Failure, Image, Pool};

/// What becomes of an image that is to be removed and has clones (`rbd_store_cloned_images`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloned {
    /// It stays.
    Refuse,
    /// It moves to the pool's trash, as glance_store lets it, and can be purged when its clones are
    /// gone. Where they are of the first format, and need its snapshot's protection, it stays.
    Trash,
    /// Its clones get what they have of it for their own, and it is removed.
    Flatten,
}

/// Why an image stays.
#[derive(Debug)]
pub(super) enum Kept {
    /// Somebody reads or writes it.
    Open,
    /// Others are clones of it, and need its snapshot.
    Cloned,
    /// It can't be removed, or is not there.
    Failed(Failure),
}

impl From<Failure> for Kept {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Removes an image. One that stays is as it was, but for clones that it may have lost.
pub(super) fn remove(
    pool: &Arc<Pool>,
    name: &str,
    snapshot: Option<&str>,
    cloned: Cloned,
) -> Result<(), Kept> {
    match expect_closed(pool, name) {
        // Its creation may have been cut short: then its name alone is there.
        Err(Kept::Failed(failure)) if failure.code() == libc::ENOENT => {
            return Ok(pool.remove(name)?);
        }
        closed => closed?,
    }
    for child in children(pool, name, snapshot)? {
        match cloned {
            _ if is_copy(&child, name) => flatten(pool, &child)?,
            Cloned::Refuse => return Err(Kept::Cloned),
            Cloned::Flatten if !child.in_trash => flatten(pool, &child)?,
            Cloned::Flatten | Cloned::Trash => {}
        }
    }
    let removed = snapshot.map(|snapshot| remove_snapshot(pool, name, snapshot)).transpose()?;
    let gone = match pool.remove(name) {
        Err(failure) if failure.code() == libc::ENOTEMPTY => {
            tracing::info!(image = name, "it has snapshots or clones left, and goes to the trash");
            pool.trash(name)
        }
        gone => gone,
    };
    match gone {
        // Somebody has opened it meanwhile.
        Err(failure) if failure.code() == libc::EBUSY => {
            if let (Some(snapshot), Some(Snapshot::Removed)) = (snapshot, removed) {
                restore(pool, name, snapshot);
            }
            Err(Kept::Open)
        }
        gone => Ok(gone?),
    }
}

/// Whether an image could be removed now. Errors: why it would stay.
pub(super) fn expect_removable(
    pool: &Arc<Pool>,
    name: &str,
    snapshot: Option<&str>,
    cloned: Cloned,
) -> Result<(), Kept> {
    expect_closed(pool, name)?;
    let children = children(pool, name, snapshot)?;
    let has_others = children.iter().any(|child| !is_copy(child, name));
    let stays = match cloned {
        Cloned::Refuse => has_others,
        Cloned::Trash => {
            has_others && !looked_at(pool.open_unseen(name, None)?, Image::has_free_clones)?
        }
        Cloned::Flatten => false,
    };
    if stays { Err(Kept::Cloned) } else { Ok(()) }
}

/// The clones of an image's snapshot; none where it has no such snapshot.
fn children(pool: &Arc<Pool>, name: &str, snapshot: Option<&str>) -> Result<Vec<Child>, Kept> {
    if snapshot.is_none() {
        return Ok(Vec::new());
    }
    match pool.open_unseen(name, snapshot) {
        Ok(image) => Ok(looked_at(image, Image::children)?),
        Err(failure) if failure.code() == libc::ENOENT => Ok(Vec::new()),
        Err(failure) => Err(failure.into()),
    }
}

/// Whether a clone is this very image in another pool: a copy that was asked for, and has to last.
fn is_copy(child: &Child, name: &str) -> bool {
    child.name == name && !child.in_trash
}

/// A clone that is not found is none any more; or is in a namespace, and goes on being in the way.
fn flatten(pool: &Arc<Pool>, child: &Child) -> Result<(), Failure> {
    tracing::info!(pool = child.pool, image = child.name, "a clone is flattened");
    let opened = pool.beside(&child.pool).and_then(|pool| pool.open(&child.name, None));
    match opened.map(|clone| looked_at(clone, Image::flatten)) {
        Err(failure) if failure.code() == libc::ENOENT => Ok(()),
        flattened => flattened?,
    }
}

/// What is asked of an open image, which is closed then.
fn looked_at<T>(image: Image, ask: impl FnOnce(&Image) -> T) -> T {
    let answer = ask(&image);
    image.close();
    answer
}

/// Who reads an image has it open, and would lose its bytes without being told.
fn expect_closed(pool: &Arc<Pool>, name: &str) -> Result<(), Kept> {
    let watchers = looked_at(pool.open_unseen(name, None)?, Image::watchers)?;
    if watchers.is_empty() {
        return Ok(());
    }
    tracing::debug!(image = name, ?watchers, "an image that is to be removed is open");
    Err(Kept::Open)
}

/// What became of a snapshot that was to be removed.
enum Snapshot {
    Removed,
    /// There was none.
    Absent,
}

fn remove_snapshot(pool: &Arc<Pool>, name: &str, snapshot: &str) -> Result<Snapshot, Kept> {
    let removed = looked_at(pool.open(name, None)?, |image| {
        match image.unprotect(snapshot) {
            // It was not protected.
            Err(failure) if failure.code() == libc::EINVAL => {}
            unprotected => unprotected?,
        }
        image.remove_snapshot(snapshot)
    });
    match removed {
        Ok(()) => Ok(Snapshot::Removed),
        Err(failure) if failure.code() == libc::ENOENT => Ok(Snapshot::Absent),
        Err(failure) if failure.code() == libc::EBUSY => Err(Kept::Cloned),
        Err(failure) => Err(failure.into()),
    }
}

fn restore(pool: &Arc<Pool>, name: &str, snapshot: &str) {
    let restored = pool.open(name, None).and_then(|image| {
        looked_at(image, |image| image.snapshot(snapshot).and_then(|()| image.protect(snapshot)))
    });
    if let Err(error) = restored {
        tracing::error!(%error, image = name, snapshot, "an image in use has lost its snapshot");
    }
}
