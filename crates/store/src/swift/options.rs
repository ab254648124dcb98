//! The options of a store in Swift, as glance_store's `swift` driver has them.

use std::sync::Arc;

use client::cloud::Trust;
use jiff::SignedDuration;
use reqwest::Url;

use super::account::Account;
use super::endpoints::{Endpoints, Keystone};
use super::reference::references;
use super::temp_url::TempUrls;
use super::tenants::{Common, TenantStore};
use super::upload::Cutting;
use super::{Accounts, SwiftStore};
use crate::kind::{Kind, Options};
use crate::remote::{Http, Wanted, Writers};
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "swift", open };

/// What glance_store calls a megabyte in Swift's options (`ONE_MB`, "the mixed meaning"), so that
/// objects are cut at the same bytes.
const MB: u64 = 1000 * 1024;

/// How often a download goes on after a break, where `swift_store_retry_get_count` does not say
/// more. Glance's default gives up at once.
const RETRIES: u32 = 3;

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    match options.or("swift_store_multi_tenant", false)? {
        true => in_accounts_of_users(options),
        false => in_own_account(options),
    }
}

fn in_own_account(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let (references, default) = references(options)?;
    let (http, wanted) = (http(options)?, wanted(options)?);
    let account = |(name, login)| {
        let account = Account::new(options.section(), http.clone(), login, wanted.clone());
        (name, Arc::new(account))
    };
    Ok(Arc::new(SwiftStore {
        accounts: Accounts { known: references.into_iter().map(account).collect(), default },
        container: container(options)?,
        seed: seed(options)?,
        create_container: options.or("swift_store_create_container_on_put", false)?,
        cutting: cutting(options)?,
        retries: retries(options)?,
        temp_urls: TempUrls::of(options)?,
        writers: Writers::default(),
    }))
}

fn in_accounts_of_users(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let (http, wanted, keystone) = (http(options)?, wanted(options)?, keystone(options)?);
    if wanted.endpoint.is_none() && keystone.is_none() {
        let expected = "expected false, or [keystone_authtoken] auth_url: the catalog of a \
                        Keystone says where accounts are";
        return Err(options.wrong("swift_store_multi_tenant", expected).into());
    }
    let service = match has_login(options)? {
        true => {
            let (mut references, default) = references(options)?;
            references.remove(&default)
        }
        false => None,
    };
    let account = |login| Account::new(options.section(), http.clone(), login, wanted.clone());
    let service = service.map(|login| Arc::new(account(login)));
    let vouches = options.or("swift_store_use_trusts", true)?;
    let common = Common {
        endpoints: Endpoints::new(options.section(), wanted.clone(), keystone),
        container: container(options)?,
        create_container: options.or("swift_store_create_container_on_put", false)?,
        admins: options.or("swift_store_admin_tenants", Vec::new())?,
        cutting: cutting(options)?,
        retries: retries(options)?,
        writers: Writers::default(),
        vouching: service.clone().filter(|_| vouches),
        service,
        http,
    };
    Ok(Arc::new(TenantStore { common: Arc::new(common), caller: None }))
}

/// Whether the service has a log-in of its own, which it can do without.
fn has_login(options: &Options<'_>) -> config::Result<bool> {
    for option in
        ["swift_store_config_file", "swift_store_user", "swift_store_application_credential_id"]
    {
        if options.get::<String>(option)?.is_some_and(|text| !text.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The one that knows the callers.
fn keystone(options: &Options<'_>) -> Result<Option<Keystone>, SettingsError> {
    const SECTION: &str = "keystone_authtoken";
    let section = options.config().section(SECTION);
    let name: String = section.or("auth_section", SECTION.to_owned())?;
    let login = options.config().section(&name);
    let Some(url) = login.get::<String>("auth_url")? else { return Ok(None) };
    let auth_url = url.trim().parse().map_err(|_| login.wrong("auth_url", "expected a URL"))?;
    let (authorities, anyone) = (section.get("cafile")?, section.or("insecure", false)?);
    Ok(Some(Keystone { auth_url, trust: Trust { authorities, anyone } }))
}

fn container(options: &Options<'_>) -> config::Result<String> {
    options.or("swift_store_container", "glance".to_owned())
}

fn retries(options: &Options<'_>) -> config::Result<u32> {
    Ok(RETRIES.max(options.or("swift_store_retry_get_count", 0)?))
}

fn trust(options: &Options<'_>) -> config::Result<Trust> {
    Ok(Trust {
        authorities: options.get("swift_store_cacert")?,
        anyone: options.or("swift_store_auth_insecure", false)?,
    })
}

fn http(options: &Options<'_>) -> Result<Http, SettingsError> {
    options.http(&trust(options)?)
}

fn wanted(options: &Options<'_>) -> Result<Wanted, SettingsError> {
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
        trust: trust(options)?,
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
