//! The options of a store in Swift, as glance_store's `swift` driver has them.

use std::path::PathBuf;
use std::sync::Arc;

use client::cloud::Trust;
use jiff::SignedDuration;
use reqwest::Url;

use super::account::Account;
use super::reference::references;
use super::upload::Cutting;
use super::{Accounts, SwiftStore};
use crate::kind::{Kind, Options};
use crate::remote::{Wanted, Writers};
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "swift", open };

/// What glance_store calls a megabyte in Swift's options (`ONE_MB`, "the mixed meaning"), so that
/// objects are cut at the same bytes.
const MB: u64 = 1000 * 1024;

/// How often a download goes on after a break, where `swift_store_retry_get_count` does not say
/// more. Glance's default gives up at once.
const RETRIES: u32 = 3;

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    if options.or("swift_store_multi_tenant", false)? {
        let expected = "expected false: images are kept in the account of the service";
        return Err(options.wrong("swift_store_multi_tenant", expected).into());
    }
    let (references, default) = references(options)?;
    let trust = Trust {
        authorities: options.get::<PathBuf>("swift_store_cacert")?,
        anyone: options.or("swift_store_auth_insecure", false)?,
    };
    let http = options.client(&trust)?;
    let wanted = wanted(options, trust)?;
    let account = |(name, login)| {
        let account = Account::new(options.section(), http.clone(), login, wanted.clone());
        (name, Arc::new(account))
    };
    Ok(Arc::new(SwiftStore {
        accounts: Accounts { known: references.into_iter().map(account).collect(), default },
        container: options.or("swift_store_container", "glance".to_owned())?,
        seed: seed(options)?,
        create_container: options.or("swift_store_create_container_on_put", false)?,
        cutting: cutting(options)?,
        retries: RETRIES.max(options.or("swift_store_retry_get_count", 0)?),
        writers: Writers::default(),
    }))
}

fn wanted(options: &Options<'_>, trust: Trust) -> Result<Wanted, SettingsError> {
    let endpoint: Option<String> = options.get("swift_store_endpoint")?;
    let wrong = || options.wrong("swift_store_endpoint", "expected the URL of an account");
    let endpoint = endpoint.filter(|text| !text.is_empty());
    let endpoint = endpoint.map(|text| text.parse::<Url>().map_err(|_| wrong())).transpose()?;
    // As catalogs of version 2 called them: publicURL.
    let interface: String = options.or("swift_store_endpoint_type", "publicURL".to_owned())?;
    Ok(Wanted {
        endpoint,
        service_types: vec![options.or("swift_store_service_type", "object-store".to_owned())?],
        interface: interface.trim_end_matches("URL").to_owned(),
        region: options.get::<String>("swift_store_region")?.filter(|text| !text.is_empty()),
        least_life: SignedDuration::from_secs(
            options.or("swift_store_expire_soon_interval", 60_i64)?,
        ),
        trust,
    })
}

fn seed(options: &Options<'_>) -> Result<usize, SettingsError> {
    let seed: usize = options.or("swift_store_multiple_containers_seed", 0)?;
    match seed <= 32 {
        true => Ok(seed),
        false => {
            let expected = "expected 0 to 32";
            Err(options.wrong("swift_store_multiple_containers_seed", expected).into())
        }
    }
}

fn cutting(options: &Options<'_>) -> Result<Cutting, SettingsError> {
    let size = |option: &str, default: u64| -> Result<u64, SettingsError> {
        match options.or(option, default)? {
            0 => Err(options.wrong(option, "expected at least 1").into()),
            size => Ok(size * MB),
        }
    };
    Ok(Cutting {
        large: size("swift_store_large_object_size", 5 * 1024)?,
        segment: size("swift_store_large_object_chunk_size", 200)?,
    })
}
