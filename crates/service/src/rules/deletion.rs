//! When the bytes of deleted images go.

use std::time::Duration;

use config::Config;

/// When the bytes of deleted images go, and how they are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// `delayed_delete`: bytes stay until a scrub.
    pub delayed: bool,
    /// `scrub_time`: how long they stay at least.
    pub wait: Duration,
    /// `wakeup_time`: between two scrubs, for whoever scrubs again and again.
    pub every: Duration,
    /// `scrub_pool_size`: images whose bytes are removed at the same time, at most.
    pub parallel: usize,
}

impl Default for Deletion {
    fn default() -> Self {
        Self { delayed: false, wait: Duration::ZERO, every: Duration::from_secs(300), parallel: 1 }
    }
}

impl Deletion {
    /// Reads them from `[DEFAULT]`. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.default_section();
        let default = Self::default();
        Ok(Self {
            delayed: options.or("delayed_delete", default.delayed)?,
            wait: options.or("scrub_time", default.wait)?,
            every: options.or("wakeup_time", default.every)?.max(Duration::from_secs(1)),
            parallel: options.or("scrub_pool_size", default.parallel)?.max(1),
        })
    }
}
