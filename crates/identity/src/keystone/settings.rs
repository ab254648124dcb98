//! What the configuration says of Keystone: `[keystone_authtoken]`.

use std::path::PathBuf;
use std::time::Duration;

use config::{Config, Result, Section};
use jiff::SignedDuration;

use super::credentials::Credentials;

/// The section that keystonemiddleware reads.
const SECTION: &str = "keystone_authtoken";

/// How long a request may take where `http_connect_timeout` does not say: keystonemiddleware waits
/// for ever.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What the configuration says of Keystone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `auth_url`, with `/v3` at its end.
    pub auth_url: String,
    /// Who we are to Keystone.
    pub credentials: Credentials,
    /// `region_name`: where Keystone's endpoint is looked for.
    pub region: Option<String>,
    /// `interface`: of Keystone's endpoints, that which is asked.
    pub interface: String,
    /// `www_authenticate_uri`: where clients get tokens.
    pub www_authenticate_uri: String,
    /// `token_cache_time`: how long what Keystone said of a token counts. `None`: never.
    pub cache_time: Option<SignedDuration>,
    /// `http_connect_timeout`: how long one request may take.
    pub timeout: Duration,
    /// `http_request_max_retries`: how often a connection that does not come about is tried again.
    pub retries: u32,
    /// Whom to trust to be Keystone.
    pub trust: Trust,
    /// `service_token_roles`: a service has one of these.
    pub service_roles: Vec<String>,
    /// `service_token_roles_required`: whoever has none of them is no service.
    pub service_roles_required: bool,
    /// `service_type`: what we are in the catalog, `image`. Without it, tokens that are for certain
    /// requests only are refused.
    pub service_type: Option<String>,
}

/// Whom to trust to be Keystone, and how to show who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// `cafile`: authorities, instead of the system's.
    pub authorities: Option<PathBuf>,
    /// `certfile`: our certificate.
    pub certificate: Option<PathBuf>,
    /// `keyfile`: its key, where that is not in the same file.
    pub key: Option<PathBuf>,
    /// `insecure`: whoever answers is trusted.
    pub anyone: bool,
}

impl Settings {
    /// keystonemiddleware's defaults around what has none.
    pub fn new(auth_url: &str, credentials: Credentials) -> Self {
        let auth_url = versioned(auth_url);
        Self {
            www_authenticate_uri: auth_url.clone(),
            auth_url,
            credentials,
            region: None,
            interface: "internal".to_owned(),
            cache_time: Some(SignedDuration::from_secs(300)),
            timeout: TIMEOUT,
            retries: 3,
            trust: Trust::default(),
            service_roles: vec!["service".to_owned()],
            service_roles_required: true,
            service_type: None,
        }
    }

    /// Reads `[keystone_authtoken]`, and the section that its `auth_section` names. Errors:
    /// `Missing` without `auth_url` or credentials, `Value`.
    pub fn from_config(config: &Config) -> Result<Self> {
        let options = config.section(SECTION);
        let name: String = options.or("auth_section", SECTION.to_owned())?;
        let login = config.section(&name);
        let auth_url: String = login.required("auth_url")?;
        let default = Self::new(&auth_url, Credentials::from_config(&login)?);
        let public = match options.get("www_authenticate_uri")? {
            Some(url) => Some(url),
            None => options.get("auth_uri")?,
        };
        Ok(Self {
            region: options.get("region_name")?,
            interface: options.or("interface", default.interface)?,
            www_authenticate_uri: public.unwrap_or(default.www_authenticate_uri),
            cache_time: cache_time(&options)?.or(default.cache_time).filter(|time| !time.is_zero()),
            timeout: options.or("http_connect_timeout", default.timeout)?,
            retries: options.or("http_request_max_retries", default.retries)?,
            trust: Trust::from_config(&options)?,
            service_roles: options.or("service_token_roles", default.service_roles)?,
            service_roles_required: options
                .or("service_token_roles_required", default.service_roles_required)?,
            service_type: options.get("service_type")?,
            auth_url: default.auth_url,
            credentials: default.credentials,
        })
    }

    /// Whether the configuration says where Keystone is.
    pub fn are_given(config: &Config) -> Result<bool> {
        let options = config.section(SECTION);
        let name: String = options.or("auth_section", SECTION.to_owned())?;
        Ok(config.section(&name).get::<String>("auth_url")?.is_some())
    }
}

impl Trust {
    fn from_config(options: &Section<'_>) -> Result<Self> {
        Ok(Self {
            authorities: options.get("cafile")?,
            certificate: options.get("certfile")?,
            key: options.get("keyfile")?,
            anyone: options.or("insecure", false)?,
        })
    }
}

/// Zero or less: nothing is kept.
fn cache_time(options: &Section<'_>) -> Result<Option<SignedDuration>> {
    let seconds: Option<i64> = options.get("token_cache_time")?;
    Ok(seconds.map(|seconds| SignedDuration::from_secs(seconds.max(0))))
}

/// A URL of Keystone, which may be written with or without its version.
pub(super) fn versioned(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let base = ["/v3", "/v2.0"].iter().find_map(|version| url.strip_suffix(version));
    format!("{}/v3", base.unwrap_or(url))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const LOGIN: &str = "user_id = u\npassword = p\n";

    fn read(text: &str) -> Result<Settings> {
        let mut config = Config::default();
        config.add_text(text, Path::new("g.conf")).unwrap();
        Settings::from_config(&config)
    }

    #[test]
    fn urls_are_taken_with_and_without_version() {
        for url in ["http://k:5000", "http://k:5000/", "http://k:5000/v3/", "http://k:5000/v2.0"] {
            assert_eq!(versioned(url), "http://k:5000/v3");
        }
        assert_eq!(versioned("https://k/identity"), "https://k/identity/v3");
    }

    #[test]
    fn defaults_are_keystonemiddlewares() {
        let read = read(&format!("[keystone_authtoken]\nauth_url = http://k\n{LOGIN}")).unwrap();
        assert_eq!(read, Settings::new("http://k", read.credentials.clone()));
    }

    #[test]
    fn options_are_read_also_from_the_section_that_is_named() {
        let read = read(&format!(
            "[keystone_authtoken]\nauth_section = login\nwww_authenticate_uri = https://public\n\
             token_cache_time = -1\nhttp_connect_timeout = 2\nregion_name = R\n\
             service_token_roles = a, b\ninsecure = true\ncafile = /ca.pem\n\
             [login]\nauth_url = http://k\n{LOGIN}"
        ))
        .unwrap();
        assert_eq!(read.auth_url, "http://k/v3");
        assert_eq!(read.www_authenticate_uri, "https://public");
        assert_eq!((read.cache_time, read.timeout), (None, Duration::from_secs(2)));
        assert_eq!((read.region.as_deref(), read.service_roles.len()), (Some("R"), 2));
        assert!(read.trust.anyone && read.trust.authorities.is_some());
    }

    #[test]
    fn a_missing_url_is_named() {
        let error = read("[keystone_authtoken]\nuser_id = u\n").unwrap_err().to_string();
        assert_eq!(error, "no configuration file sets auth_url in [keystone_authtoken]");
    }
}
