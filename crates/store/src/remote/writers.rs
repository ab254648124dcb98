//! Uploads of images to servers that would take the last of several writers for the right one.

use std::future::Future;

use image::ImageId;

use super::Claims;
use crate::{Cleanups, Error, Result, Written};

/// The uploads of a store.
#[derive(Clone, Default)]
pub(crate) struct Writers {
    claims: Claims,
    cleanups: Cleanups,
}

impl Writers {
    /// Uploads an image to where there is none, once `room` has made the place; `size` ends with
    /// `NotFound` where it is free. `undo` takes back what a failed or dropped `send` has left,
    /// before another writer may begin. Errors: `Exists` where the image is there, or is being
    /// written; those of `room`, `size` and `send`.
    pub(crate) async fn put(
        &self,
        id: ImageId,
        uri: String,
        room: impl Future<Output = Result<()>>,
        size: impl Future<Output = Result<u64>>,
        undo: impl Future<Output = ()> + Send + 'static,
        send: impl Future<Output = Result<u64>>,
    ) -> Result<Written> {
        let Some(claim) = self.claims.claim(id) else { return Err(Error::Exists(uri)) };
        room.await?;
        match size.await {
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(Error::Exists(uri)),
        }
        let undo = async move {
            undo.await;
            drop(claim);
        };
        let size = self.cleanups.guard(undo, send).await?;
        Ok(Written { uri, size })
    }

    /// Waits until nothing is being taken back.
    pub(crate) async fn settled(&self) {
        self.cleanups.settled().await;
    }
}
