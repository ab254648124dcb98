//! Unified limits: what Keystone says how much of a thing a project may have.
//!
//! [`UnifiedLimits`] asks with credentials of its own, those of `[oslo_limit]`. A project's own
//! limit goes before the registered one of all projects; what has neither may not be had at all.
//! Keystone's `flat` enforcement model; the other one, `strict_two_level`, is not implemented by
//! oslo.limit either.
//!
//! Reference: "Unified limits" of Keystone's API v3, and oslo.limit.

mod keystone;
mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::sync::OnceCell;

use keystone::{Endpoint, Keystone};
pub use settings::Settings;

/// Why limits are not known. Whoever asks must then refuse, not allow.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Keystone can't be reached, or answers nonsense.
    #[error("Keystone's limits can't be had: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// Keystone refuses.
    #[error("Keystone answers {status} to {path} with the credentials of [oslo_limit]")]
    Refused {
        /// The status.
        status: u16,
        /// What was asked for.
        path: String,
    },
    /// The file of authorities can't be read.
    #[error("[oslo_limit] cafile {}: {cause}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// The endpoint that limits belong to is not told by the options.
    #[error("[oslo_limit] names no single endpoint of the image service: {0}")]
    NoEndpoint(String),
}

/// Limits by the name of what is limited; a negative one is none.
pub type Limits = BTreeMap<String, i64>;

/// Asks Keystone for limits.
pub struct UnifiedLimits {
    keystone: Keystone,
    settings: Settings,
    endpoint: OnceCell<Endpoint>,
}

impl std::fmt::Debug for UnifiedLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnifiedLimits")
    }
}

impl UnifiedLimits {
    /// Asks nobody yet. Errors: `Authorities`; `Unreachable` when TLS can't be set up as the settings
    /// say.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self { keystone: Keystone::new(&settings)?, settings, endpoint: OnceCell::new() })
    }

    /// The limits of a project, of those that are registered for this service. Asked for each time:
    /// an operator who changes one sees it work with the next request.
    pub async fn of(&self, project: &str) -> Result<Limits, Error> {
        let find = || self.keystone.endpoint(&self.settings);
        let endpoint = self.endpoint.get_or_try_init(find).await?;
        let mut limits = self.keystone.registered_limits(endpoint).await?;
        limits.extend(self.keystone.project_limits(endpoint, project).await?);
        Ok(limits)
    }
}

#[cfg(test)]
mod tests;
