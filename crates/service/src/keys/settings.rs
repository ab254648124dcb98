//! The options of keys and certificates.

use std::path::PathBuf;

use config::{Config, Section};
use signature::Dates;

/// Which of Barbican's endpoints in the catalog is asked.
const INTERFACE: &str = "barbican_endpoint_type";

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
    /// `[barbican]`, where its endpoint or Keystone's is given.
    pub barbican: Option<BarbicanSettings>,
}

/// castellan's section `[barbican]`.
#[derive(Debug, Clone)]
pub struct BarbicanSettings {
    /// Where it is.
    pub place: Place,
    /// `barbican_api_version`.
    pub version: String,
    /// `verify_ssl`.
    pub verify_tls: bool,
    /// `verify_ssl_path`: certificates of authorities, PEM.
    pub authorities: Option<PathBuf>,
}

/// Where Barbican is.
#[derive(Debug, Clone)]
pub enum Place {
    /// `barbican_endpoint`.
    At(String),
    /// Where Keystone's catalog says.
    InCatalog(Catalog),
}

/// Which endpoint of Keystone's catalog is Barbican's.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// `auth_endpoint`, without a slash at its end.
    pub keystone: String,
    /// `barbican_endpoint_type`.
    pub interface: String,
    /// `barbican_region_name`.
    pub region: Option<String>,
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
        let Some(place) = Place::from_section(&options)? else { return Ok(None) };
        Ok(Some(Self {
            place,
            version: options.or("barbican_api_version", "v1".to_owned())?,
            verify_tls: options.or("verify_ssl", true)?,
            authorities: options.get("verify_ssl_path")?,
        }))
    }
}

impl Place {
    fn from_section(options: &Section<'_>) -> config::Result<Option<Self>> {
        let keystone: Option<String> = options.get("auth_endpoint")?;
        let interface: String = options.or(INTERFACE, "public".to_owned())?;
        if !["public", "internal", "admin"].contains(&interface.as_str()) {
            return Err(options.wrong(INTERFACE, "expected public, internal or admin"));
        }
        let region = options.get("barbican_region_name")?;
        let endpoint = options.get("barbican_endpoint")?;
        let catalog = keystone.map(|url| {
            let keystone = url.trim_end_matches('/').to_owned();
            Self::InCatalog(Catalog { keystone, interface, region })
        });
        Ok(endpoint.map(Self::At).or(catalog))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Keys;
    use super::*;

    fn keys(options: &str) -> Result<Keys, String> {
        let mut config = Config::default();
        let text = format!("[barbican]\nauth_endpoint = http://k/v3\n{options}\n");
        config.add_text(&text, Path::new("glance-api.conf")).unwrap();
        let settings = Settings::from_config(&config).map_err(|error| error.to_string())?;
        Keys::open(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_not_be_is_named() {
        for (wrong, expected) in [
            ("barbican_endpoint_type = publicURL", "public, internal or admin"),
            ("verify_ssl = perhaps", "verify_ssl"),
            ("verify_ssl_path = /nowhere/ca.pem", "/nowhere/ca.pem"),
        ] {
            let error = keys(wrong).err().expect(wrong);
            assert!(error.contains(expected), "{wrong}: {error}");
        }
    }
}
