//! The states of an image, and the only place that knows which may follow which.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::names::named;

named! {
    /// The state of an image (Glance's "Image statuses").
    Status, "image status", {
        /// Registered, without bytes.
        Queued = "queued",
        /// Bytes are being received.
        Saving = "saving",
        /// Bytes are being staged for an import.
        Uploading = "uploading",
        /// Staged or remote bytes are being imported.
        Importing = "importing",
        /// Complete and readable.
        Active = "active",
        /// Complete, but closed to those who are no administrators.
        Deactivated = "deactivated",
        /// Failed for good.
        Killed = "killed",
        /// Removed.
        Deleted = "deleted",
        /// Removed; its bytes follow later.
        PendingDelete = "pending_delete",
    }
}

/// What happens to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An upload begins.
    BeginUpload,
    /// Bytes begin to arrive in the staging area.
    BeginStaging,
    /// An import of staged or remote bytes begins.
    BeginImport,
    /// The bytes are durable and their hashes known.
    Complete,
    /// An upload, staging or import failed; what was written is gone.
    Abandon,
    /// An administrator closes the image.
    Deactivate,
    /// An administrator opens it again.
    Reactivate,
    /// The image is deleted, bytes and all.
    Delete,
    /// The image is deleted, its bytes are kept for a while.
    DeleteLater,
    /// A delayed deletion is taken back.
    Restore,
}

/// An event that the state of the image does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an image that is {from} can't take '{event:?}'")]
pub struct IllegalMove {
    /// The state that the image is in.
    pub from: Status,
    /// The event that was asked for.
    pub event: Event,
}

impl Status {
    /// The state that follows, or an error that says what is not allowed. Source: the transitions
    /// of `glance.domain.ImageStatus`.
    pub fn next(self, event: Event) -> Result<Self, IllegalMove> {
        use Event as E;
        use Status as S;
        match (self, event) {
            (S::Queued, E::BeginUpload) => Ok(S::Saving),
            (S::Queued, E::BeginStaging) => Ok(S::Uploading),
            (S::Queued | S::Uploading, E::BeginImport) => Ok(S::Importing),
            (S::Saving | S::Importing | S::Queued, E::Complete) => Ok(S::Active),
            (S::Saving | S::Uploading | S::Importing, E::Abandon) => Ok(S::Queued),
            (S::Active | S::Deactivated, E::Deactivate) => Ok(S::Deactivated),
            (S::Active | S::Deactivated, E::Reactivate) => Ok(S::Active),
            (S::PendingDelete, E::Restore) => Ok(S::Active),
            (S::Active | S::Deactivated, E::DeleteLater) => Ok(S::PendingDelete),
            (from, E::Delete) if from != S::Deleted => Ok(S::Deleted),
            (from, event) => Err(IllegalMove { from, event }),
        }
    }

    /// Whether the image's bytes are complete.
    pub fn has_data(self) -> bool {
        matches!(self, Self::Active | Self::Deactivated | Self::PendingDelete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_goes_from_queued_to_active() {
        let saving = Status::Queued.next(Event::BeginUpload).unwrap();
        assert_eq!(saving.next(Event::Complete), Ok(Status::Active));
        assert_eq!(saving.next(Event::Abandon), Ok(Status::Queued));
    }

    #[test]
    fn a_second_upload_is_refused_in_every_other_state() {
        for from in Status::ALL.iter().copied().filter(|s| *s != Status::Queued) {
            assert!(from.next(Event::BeginUpload).is_err(), "{from}");
        }
    }

    #[test]
    fn nothing_follows_deleted() {
        use Event::*;
        for event in [BeginUpload, BeginStaging, BeginImport, Complete, Abandon, Deactivate] {
            assert!(Status::Deleted.next(event).is_err());
        }
        for event in [Reactivate, Delete, DeleteLater, Restore] {
            assert!(Status::Deleted.next(event).is_err());
        }
    }

    #[test]
    fn names_are_read_back() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        assert!("paused".parse::<Status>().is_err());
    }
}
