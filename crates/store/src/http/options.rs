//! The options of a store of URLs, as glance_store's `http` driver has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use fetch::{Certificate, Fetcher, Filter, Trust};

use super::HttpStore;
use crate::kind::{Kind, Options};
use crate::{Error, SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "http", open };

/// A proxy for each scheme that has one.
const PROXIES: &str = "http_proxy_information";

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let filter = Filter::from_config(options.config())?;
    let proxies: BTreeMap<String, String> = options.or(PROXIES, BTreeMap::new())?;
    let fetcher = Fetcher::new(filter).trusting(trust(options)?).by(proxies);
    let expected = "expected SCHEME:PROXY between commas, as http:http://10.0.0.1:3128";
    let fetcher = fetcher.map_err(|_| options.wrong(PROXIES, expected))?;
    Ok(Arc::new(HttpStore::new(options.section(), fetcher)))
}

/// glance_store's default is to believe anybody: images are known by their digests.
fn trust(options: &Options<'_>) -> Result<Trust, SettingsError> {
    let insecure = options.or("https_insecure", true)?;
    let authorities: Option<PathBuf> = options.get("https_ca_certificates_file")?;
    let Some(path) = authorities else {
        return Ok(if insecure { Trust::Anybody } else { Trust::System });
    };
    let unusable = |cause| SettingsError::Open {
        section: options.section().to_owned(),
        cause: Error::Io { store: path.display().to_string(), cause },
    };
    let text = fs::read(&path).map_err(unusable)?;
    let authorities = Certificate::from_pem_bundle(&text);
    authorities.map(Trust::Only).map_err(|error| unusable(std::io::Error::other(error)))
}
