//! The way out: a volume that stays attached until its last reader has gone.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, stream};
use uuid::Uuid;

use super::attached::{Attaching, Lease};
use crate::{Data, Result};

/// The bytes of a range of a volume.
pub(super) async fn read(attaching: &Arc<Attaching>, id: Uuid, range: Range<u64>) -> Result<Data> {
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let left = range.end - range.start;
    let lease = attaching.reading(id).await?;
    let data = lease.device().await?.read(range).await?;
    let reading = Reading { data, left, lease: Some(lease) };
    let pieces = stream::try_unfold(reading, |mut reading| async move {
        let Some(piece) = reading.data.next().await.transpose()? else { return Ok(None) };
        reading.left = reading.left.saturating_sub(piece.len() as u64);
        // Before the last piece is handed on: who has that may delete the image at once.
        if reading.left == 0
            && let Some(lease) = reading.lease.take()
        {
            // It may hold the volume open.
            reading.data = stream::empty().boxed();
            lease.end().await;
        }
        Ok(Some((piece, reading)))
    });
    Ok(pieces.boxed())
}

/// A volume that is read. It is closed before it is given up.
struct Reading {
    data: Data,
    /// How many bytes are still to come.
    left: u64,
    lease: Option<Lease>,
}
