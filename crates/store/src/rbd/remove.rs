//! The end of an image: its snapshot is unprotected and removed, then the image. One that has clones
//! goes where glance_store lets it go.

use std::sync::Arc;

use super::ceph::{Failure, Pool};

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

/// Removes an image. Clones of the first format depend on its snapshot's protection: it stays. Those
/// of the second one don't: the image moves to the pool's trash, and can be purged when they are
/// gone. So does an image that has other snapshots. One that stays is as it was.
pub(super) fn remove(pool: &Arc<Pool>, name: &str, snapshot: Option<&str>) -> Result<(), Kept> {
    expect_closed(pool, name)?;
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

/// Who reads an image has it open, and would lose its bytes without being told.
fn expect_closed(pool: &Arc<Pool>, name: &str) -> Result<(), Kept> {
    let image = pool.open_unseen(name, None)?;
    let watchers = image.watchers();
    image.close();
    let watchers = watchers?;
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
    let image = pool.open(name, None)?;
    let unprotected = match image.unprotect(snapshot) {
        // It was not protected.
        Err(failure) if failure.code() == libc::EINVAL => Ok(()),
        unprotected => unprotected,
    };
    let removed = unprotected.and_then(|()| image.remove_snapshot(snapshot));
    image.close();
    match removed {
        Ok(()) => Ok(Snapshot::Removed),
        Err(failure) if failure.code() == libc::ENOENT => Ok(Snapshot::Absent),
        Err(failure) if failure.code() == libc::EBUSY => Err(Kept::Cloned),
        Err(failure) => Err(failure.into()),
    }
}

fn restore(pool: &Arc<Pool>, name: &str, snapshot: &str) {
    let restored = pool.open(name, None).and_then(|image| {
        let restored = image.snapshot(snapshot).and_then(|()| image.protect(snapshot));
        image.close();
        restored
    });
    if let Err(error) = restored {
        tracing::error!(%error, image = name, snapshot, "an image in use has lost its snapshot");
    }
}
