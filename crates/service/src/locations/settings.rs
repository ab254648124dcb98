//! What of locations is shown, and how they are taken.

use config::Config;

/// What of locations is shown, and how they are taken, with Glance's names and defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationSettings {
    /// `show_image_direct_url`: images show the location that is read first.
    pub direct_url: bool,
    /// `show_multiple_locations`: images show all their locations, and patches may change them.
    pub all: bool,
    /// `image_location_quota`: locations of an image at most.
    pub quota: usize,
    /// `do_secure_hash`: bytes at a location that is added are read and digested.
    pub secure_hash: bool,
    /// `http_retries`: how often that is tried.
    pub tries: u32,
}

impl Default for LocationSettings {
    fn default() -> Self {
        Self { direct_url: false, all: false, quota: 10, secure_hash: true, tries: 3 }
    }
}

impl LocationSettings {
    /// Reads them from `[DEFAULT]`. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.default_section();
        let default = Self::default();
        let quota: Option<i64> = options.get("image_location_quota")?;
        let unlimited = |quota| usize::try_from(quota).unwrap_or(usize::MAX);
        Ok(Self {
            direct_url: options.or("show_image_direct_url", default.direct_url)?,
            all: options.or("show_multiple_locations", default.all)?,
            quota: quota.map_or(default.quota, unlimited),
            secure_hash: options.or("do_secure_hash", default.secure_hash)?,
            tries: options.or("http_retries", default.tries)?.max(1),
        })
    }
}
