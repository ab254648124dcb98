//! Why an import ends without its image.

use store::SourceError;
use thiserror::Error;

use super::plugins::PluginError;
use super::source::Unreachable;
use crate::intake::Refused;

/// Why an import ends without its image. The text is the task's message.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("Cancelled.")]
    Cancelled,
    /// Somebody else works on the task now, or will once the catalog answers again: nothing is ours
    /// to put in order.
    #[error("the task was taken over")]
    Lost,
    #[error("The task asks for nothing that this service can do.")]
    Unreadable,
    #[error("The work on the image failed in a way that nobody foresaw.")]
    Panicked,
    #[error("Image data is not found in the staging area of this service.")]
    NotStaged,
    #[error("Image data is not found in any store.")]
    NoSource,
    #[error("The download failed: {0}.")]
    Download(#[from] fetch::Error),
    #[error("The other region's image can't be had: {0}.")]
    Unreachable(#[from] Unreachable),
    #[error("The data ended early: {0}.")]
    Early(String),
    #[error("Image data was refused: {0}.")]
    Data(String),
    #[error("Image data can't be verified: {0}")]
    Unverified(#[from] crate::keys::Error),
    #[error("{0}")]
    Quota(String),
    #[error("The plugin {name} failed: {cause}.")]
    Plugin {
        name: &'static str,
        #[source]
        cause: PluginError,
    },
    #[error("The location is not attached: {0}.")]
    Location(String),
    #[error("The image's bytes in its store are not those that were stored.")]
    Corrupt,
    #[error("The store {store} failed: {cause}.")]
    Store {
        store: String,
        #[source]
        cause: store::Error,
    },
    #[error("{0}.")]
    UnknownStore(#[from] store::UnknownStore),
    #[error("The catalog failed: {0}.")]
    Catalog(#[source] catalog::Error),
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Self {
        match error {
            catalog::Error::LeaseLost(_) => Self::Lost,
            catalog::Error::OverBudget { .. } => Self::Quota(error.to_string()),
            catalog::Error::Unavailable(cause) => {
                tracing::warn!(%cause, "a task is left until the catalog answers again");
                Self::Lost
            }
            other => Self::Catalog(other),
        }
    }
}

/// Why a source ended before its end.
pub(super) fn ended_early(why: SourceError) -> Failure {
    match why.downcast::<Refused>() {
        Ok(why) => match *why {
            Refused::Gone(error) => Failure::Early(error.to_string()),
            other => Failure::Data(other.to_string().trim_end_matches('.').to_owned()),
        },
        Err(why) => Failure::Early(why.to_string()),
    }
}
