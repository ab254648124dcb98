//! The options of keys and certificates.

use std::path::PathBuf;

use config::Config;
use signature::Dates;

/// Where keys and certificates are, and which are trusted.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[image_signature] certificate_dir`: a directory with certificates, each in a file named
    /// after its id, with or without `.pem`, `.crt` or `.der`. Not an option of Glance.
    pub certificate_dir: Option<PathBuf>,
    /// `[image_signature] trusted_certificate_ids`: a signed image's certificate has to lead to one
    /// of these. Empty: none has to. Not an option of Glance; its clients know such a list.
    pub trusted: Vec<String>,
    /// `[image_signature] enforce_valid_dates`: whether trusted certificates, and those that lead
    /// to them, have to be valid now. Not an option of Glance; cursive has it.
    pub dates: Dates,
    /// `[barbican]`, where its endpoint is given.
    pub barbican: Option<BarbicanSettings>,
}

/// castellan's section `[barbican]`.
#[derive(Debug, Clone)]
pub struct BarbicanSettings {
    /// `barbican_endpoint`, without a slash at its end.
    pub endpoint: String,
    /// `barbican_api_version`.
    pub version: String,
    /// `verify_ssl`.
    pub verify_tls: bool,
    /// `verify_ssl_path`: certificates of authorities, PEM.
    pub authorities: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { certificate_dir: None, trusted: Vec::new(), dates: Dates::Enforced, barbican: None }
    }
}

impl Settings {
    /// Reads `[image_signature]` and `[barbican]`. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let signature = config.section("image_signature");
        let enforced = signature.or("enforce_valid_dates", true)?;
        Ok(Self {
            certificate_dir: signature.get("certificate_dir")?,
            trusted: signature.or("trusted_certificate_ids", Vec::new())?,
            dates: if enforced { Dates::Enforced } else { Dates::Ignored },
            barbican: BarbicanSettings::from_config(config)?,
        })
    }
}

impl BarbicanSettings {
    fn from_config(config: &Config) -> config::Result<Option<Self>> {
        let options = config.section("barbican");
        let Some(endpoint) = options.get::<String>("barbican_endpoint")? else { return Ok(None) };
        Ok(Some(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            version: options.or("barbican_api_version", "v1".to_owned())?,
            verify_tls: options.or("verify_ssl", true)?,
            authorities: options.get("verify_ssl_path")?,
        }))
    }
}
