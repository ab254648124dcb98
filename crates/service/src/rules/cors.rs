//! `[cors]`: which pages of other origins may use the API from a browser (oslo.middleware's `cors`).

use config::Config;

/// What Glance lets pages send and see, beside what every page may.
const HEADERS: &[&str] = &[
    "Content-MD5",
    "X-Image-Meta-Checksum",
    "X-Storage-Token",
    "Accept-Encoding",
    "X-Auth-Token",
    "X-Identity-Status",
    "X-Roles",
    "X-Service-Catalog",
    "X-User-Id",
    "X-Tenant-Id",
    "X-OpenStack-Request-ID",
];
const EXPOSED: &[&str] = &[
    "X-Image-Meta-Checksum",
    "X-Auth-Token",
    "X-Subject-Token",
    "X-Service-Token",
    "X-OpenStack-Request-ID",
];
const METHODS: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH"];

/// Which pages of other origins may use the API.
#[derive(Debug, Clone)]
pub struct Cors {
    /// `allowed_origin`: schemes with hosts and ports, or `*`; empty for none.
    pub origins: Vec<String>,
    /// `allow_credentials`.
    pub credentials: bool,
    /// `expose_headers`.
    pub exposed: Vec<String>,
    /// `max_age`: seconds for which a browser may keep the answer.
    pub max_age: u64,
    /// `allow_methods`.
    pub methods: Vec<String>,
    /// `allow_headers`.
    pub headers: Vec<String>,
}

impl Default for Cors {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            origins: Vec::new(),
            credentials: true,
            exposed: owned(EXPOSED),
            max_age: 3600,
            methods: owned(METHODS),
            headers: owned(HEADERS),
        }
    }
}

impl Cors {
    /// Reads `[cors]`. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.section("cors");
        let default = Self::default();
        Ok(Self {
            origins: options.or("allowed_origin", default.origins)?,
            credentials: options.or("allow_credentials", default.credentials)?,
            exposed: options.or("expose_headers", default.exposed)?,
            max_age: options.or("max_age", default.max_age)?,
            methods: options.or("allow_methods", default.methods)?,
            headers: options.or("allow_headers", default.headers)?,
        })
    }

    /// The origin as it is named in answers, if it is an allowed one.
    pub(crate) fn allowed<'a>(&self, origin: &'a str) -> Option<&'a str> {
        let known = |wanted: &str| self.origins.iter().any(|allowed| allowed == wanted);
        if known(origin) { Some(origin) } else { known("*").then_some("*") }
    }
}
