//! What an operator has decided about records: how they are deleted, how much of them there may
//! be. Every part reads its own options of `glance-api.conf`; without any, Glance's defaults hold.

mod cors;
mod custom;
mod deletion;
mod formats;
mod health;
mod protection;
mod storage;

use std::path::PathBuf;
use std::sync::Arc;

use config::Config;
use identity::limits::{Settings, UnifiedLimits};
use thiserror::Error;

use crate::schemas::Schemas;

pub use cors::Cors;
pub use custom::{BadSchema, Custom};
pub use deletion::Deletion;
pub use formats::Formats;
pub use health::Health;
pub use protection::{Operation, Protections};

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// When the bytes of deleted images go.
    pub deletion: Deletion,
    /// `user_storage_quota`: bytes that the images of one project take at most.
    pub storage: Option<u64>,
    /// Which formats images may have.
    pub formats: Formats,
    /// What is said of custom properties.
    pub custom: Custom,
    /// The schemas that say both to clients.
    pub schemas: Arc<Schemas>,
    /// Who may touch which custom properties.
    pub protections: Protections,
    /// Which pages of other origins may use the API.
    pub cors: Cors,
    /// When a load balancer is to look elsewhere.
    pub health: Health,
    /// `[oslo_middleware] enable_proxy_headers_parsing`: a proxy tells the URL that clients use.
    pub behind_proxy: bool,
    /// `use_keystone_limits`: Keystone's limits, which then hold instead of `storage`.
    pub unified: Option<Arc<UnifiedLimits>>,
}

/// Rules that can't be kept: the service must not start with them.
#[derive(Debug, Error)]
pub enum BadRules {
    /// An option.
    #[error(transparent)]
    Option(#[from] config::Error),
    /// The file of custom properties.
    #[error(transparent)]
    Custom(#[from] BadSchema),
    /// What the file says.
    #[error("schema-image.json: {0}")]
    Schema(String),
}

impl Rules {
    /// Reads them, and the files that they name: those are looked for in `folders`. Errors: an
    /// option that is missing or of the wrong kind, a file that can't be used.
    pub fn from_config(config: &Config, folders: &[PathBuf]) -> Result<Self, BadRules> {
        let formats = Formats::from_config(config)?;
        let custom = Custom::find(folders)?;
        let schemas = Schemas::new(&formats, &custom).map_err(BadRules::Schema)?;
        Ok(Self {
            formats,
            custom,
            schemas: Arc::new(schemas),
            deletion: Deletion::from_config(config)?,
            storage: storage::quota(config)?,
            protections: Protections::from_config(config, folders)?,
            cors: Cors::from_config(config)?,
            health: Health::from_config(config, !folders.is_empty())?,
            behind_proxy: config
                .section("oslo_middleware")
                .or("enable_proxy_headers_parsing", false)?,
            unified: unified(config)?,
        })
    }
}

fn unified(config: &Config) -> config::Result<Option<Arc<UnifiedLimits>>> {
    let options = config.default_section();
    if !options.or("use_keystone_limits", false)? {
        return Ok(None);
    }
    let limits = UnifiedLimits::new(Settings::from_config(config)?);
    let expected = |error| format!("expected [oslo_limit] that works: {error}");
    let limits = limits.map_err(|error| options.wrong("use_keystone_limits", expected(error)))?;
    Ok(Some(Arc::new(limits)))
}
