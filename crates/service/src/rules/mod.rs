//! What an operator has decided about records: how they are deleted, how much of them there may
//! be. Every part reads its own options of `glance-api.conf`; without any, Glance's defaults hold.

mod deletion;

use config::Config;

pub use deletion::Deletion;

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// When the bytes of deleted images go.
    pub deletion: Deletion,
}

impl Rules {
    /// Reads them. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        Ok(Self { deletion: Deletion::from_config(config)? })
    }
}
