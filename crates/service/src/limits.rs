//! Bounds on what a request may ask for.

use std::time::Duration;

use config::{Config, Section};

/// Bounds on what a request may ask for, with Glance's names and defaults.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `limit_param_default`: images on a page when the request doesn't say.
    pub page: u32,
    /// `api_limit_max`: images on a page at most.
    pub page_max: u32,
    /// `image_size_cap`: bytes of an image at most.
    pub image_size: u64,
    /// `image_member_quota`.
    pub members: usize,
    /// `image_property_quota`.
    pub properties: usize,
    /// `image_tag_quota`.
    pub tags: usize,
    /// `hashing_algorithm`, a name that OpenSSL knows.
    pub hash_algorithm: String,
    /// How long an upload may be silent before it counts as gone.
    pub upload_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page: 25,
            page_max: 1000,
            image_size: 1 << 40,
            members: 128,
            properties: 128,
            tags: 128,
            hash_algorithm: "sha512".to_owned(),
            upload_idle: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// Reads them from `[DEFAULT]`. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.default_section();
        let default = Self::default();
        let hash_algorithm = options.or("hashing_algorithm", default.hash_algorithm)?;
        if signature::digest_named(&hash_algorithm).is_none() {
            return Err(options.wrong("hashing_algorithm", "expected a digest, as sha512"));
        }
        Ok(Self {
            page: page(&options, "limit_param_default", default.page)?,
            page_max: page(&options, "api_limit_max", default.page_max)?,
            image_size: options.or("image_size_cap", default.image_size)?,
            members: quota(options.get("image_member_quota")?, default.members),
            properties: quota(options.get("image_property_quota")?, default.properties),
            tags: quota(options.get("image_tag_quota")?, default.tags),
            hash_algorithm,
            upload_idle: default.upload_idle,
        })
    }
}

/// A page without images would be the last one.
fn page(options: &Section<'_>, option: &str, default: u32) -> config::Result<u32> {
    match options.or(option, default)? {
        0 => Err(options.wrong(option, "expected a whole number from 1 on")),
        images => Ok(images),
    }
}

/// A negative quota is none, as in Glance.
fn quota(given: Option<i64>, default: usize) -> usize {
    given.map_or(default, |quota| usize::try_from(quota).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_digest_that_nobody_knows_is_refused() {
        for (name, is_known) in [("sha3_512", true), ("rot13", false)] {
            let mut config = Config::default();
            let text = format!("hashing_algorithm = {name}\n");
            config.add_text(&text, Path::new("glance-api.conf")).unwrap();
            assert_eq!(Limits::from_config(&config).is_ok(), is_known, "{name}");
        }
    }

    #[test]
    fn a_page_has_images() {
        for option in ["limit_param_default", "api_limit_max"] {
            let mut config = Config::default();
            config.add_text(&format!("{option} = 0\n"), Path::new("glance-api.conf")).unwrap();
            let error = Limits::from_config(&config).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{option}: expected a whole number from 1 on")),
                "{error}"
            );
        }
    }

    #[test]
    fn glances_options_are_read() {
        let mut config = Config::default();
        let text = "image_tag_quota = -1\nimage_member_quota = 2\napi_limit_max = 10\n";
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        let limits = Limits::from_config(&config).unwrap();
        assert_eq!((limits.tags, limits.members, limits.page_max), (usize::MAX, 2, 10));
        assert_eq!(limits.properties, Limits::default().properties);
        assert!(config.unread().is_empty());
    }
}
