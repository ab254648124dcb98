//! The options of a store in Cinder, as glance_store's `cinder` driver has them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use client::Secret;
use client::cloud::{Domain, KeystoneLogin, Named, Proof, Scope, Trust};
use jiff::SignedDuration;
use reqwest::Url;

use super::CinderStore;
use super::attached::{Attaching, Multipath};
use super::device::{Devices, Tools};
use super::session::Session;
use super::upload::Making;
use super::volume::Mark;
use crate::kind::{Kind, Options};
use crate::remote::{Grants, Wanted, Writers};
use crate::settings::GLANCE_STORE;
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "cinder", open };

/// Where volumes by NFS are mounted unless something else is said.
const MOUNTS: &str = "/var/lib/glance/mnt";

/// A token is not used any more when less than this is left of its life.
const LEAST_LIFE: SignedDuration = SignedDuration::from_secs(60);

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let session = Session {
        store: options.section().to_owned(),
        http: options.http(&trust(options)?)?,
        login: login(options)?,
        wanted: wanted(options)?,
        attempts: options.or("cinder_http_retries", 3_u32)?.saturating_add(1),
        attachment_attempts: options.or("cinder_attachment_retry_attempts", 5_u32)?.max(1),
        patience: Duration::from_secs(options.or("cinder_state_transition_timeout", 300)?),
        grants: Grants::default(),
    };
    let multipath = Multipath {
        wanted: options.or("cinder_use_multipath", false)?,
        enforced: options.or("cinder_enforce_multipath", false)?,
    };
    let ceph = path(options, "rbd_store_ceph_conf")?;
    let mounts = path(options, "cinder_mount_point_base")?;
    let mounts = mounts.unwrap_or_else(|| MOUNTS.into());
    let tools = Tools::of_system();
    let devices = Devices::new(ceph, mounts, multipath, &tools);
    let name = options.section();
    Ok(Arc::new(CinderStore {
        name: (name != GLANCE_STORE).then(|| name.to_owned()),
        mark: Mark::of_store(name),
        attaching: Arc::new(Attaching::new(Arc::new(session), devices, multipath, tools)),
        making: Making {
            volume_type: given(options, "cinder_volume_type")?,
            grow_attached: options.or("cinder_do_extend_attached", false)?,
        },
        use_multipath: multipath.wanted,
        writers: Writers::default(),
    }))
}

/// The service's own credentials: an application credential counts before a password.
fn login(options: &Options<'_>) -> Result<KeystoneLogin, SettingsError> {
    const ADDRESS: &str = "cinder_store_auth_address";
    let expected = "expected the URL of Keystone";
    let address = required(options, ADDRESS)?;
    let auth_url = address.parse::<Url>().map_err(|_| options.wrong(ADDRESS, expected))?;
    let id = given(options, "cinder_store_application_credential_id")?;
    let secret = given(options, "cinder_store_application_credential_secret")?;
    if let Some((id, secret)) = id.zip(secret) {
        let proof =
            Proof::ApplicationCredential { id: Some(id), name: None, secret: Secret::new(secret) };
        return Ok(KeystoneLogin { auth_url, proof, scope: Scope::Unspecified });
    }
    let named = |name: &str, domain: &str| -> Result<Named, SettingsError> {
        let domain = Domain::Name(options.or(domain, "Default".to_owned())?);
        Ok(Named::Name { name: required(options, name)?, domain })
    };
    let user = named("cinder_store_user_name", "cinder_store_user_domain_name")?;
    let project = named("cinder_store_project_name", "cinder_store_project_domain_name")?;
    let password = Secret::new(required(options, "cinder_store_password")?);
    let proof = Proof::Password { user, password };
    Ok(KeystoneLogin { auth_url, proof, scope: Scope::Project(project) })
}

fn wanted(options: &Options<'_>) -> Result<Wanted, SettingsError> {
    const CATALOG: &str = "cinder_catalog_info";
    const TEMPLATE: &str = "cinder_endpoint_template";
    let place = options.or(CATALOG, "volumev3::publicURL".to_owned())?;
    let mut parts = place.split(':');
    let (Some(kind), Some(_), Some(interface), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        let expected = "expected TYPE:NAME:INTERFACE, where the name may be empty";
        return Err(options.wrong(CATALOG, expected).into());
    };
    let endpoint = given(options, TEMPLATE)?;
    let expected =
        "expected a URL: images are kept in one project, so that nothing is to be filled in";
    let url = |text: String| match text.contains("%(") {
        true => Err(options.wrong(TEMPLATE, expected)),
        false => text.parse::<Url>().map_err(|_| options.wrong(TEMPLATE, expected)),
    };
    let region = match given(options, "cinder_os_region_name")? {
        Some(region) => Some(region),
        None => given(options, "os_region_name")?,
    };
    Ok(Wanted {
        endpoint: endpoint.map(url).transpose()?,
        // The same service's other name.
        service_types: vec![kind.to_owned(), "block-storage".to_owned()],
        interface: interface.trim_end_matches("URL").to_owned(),
        region,
        least_life: LEAST_LIFE,
        trust: trust(options)?,
    })
}

fn trust(options: &Options<'_>) -> Result<Trust, SettingsError> {
    Ok(Trust {
        authorities: path(options, "cinder_ca_certificates_file")?,
        anyone: options.or("cinder_api_insecure", false)?,
    })
}

fn given(options: &Options<'_>, name: &str) -> Result<Option<String>, SettingsError> {
    Ok(options.get::<String>(name)?.filter(|text| !text.is_empty()))
}

fn path(options: &Options<'_>, name: &str) -> Result<Option<PathBuf>, SettingsError> {
    Ok(given(options, name)?.map(PathBuf::from))
}

fn required(options: &Options<'_>, name: &str) -> Result<String, SettingsError> {
    let expected = "expected a value: a store of kind cinder needs the credentials of the service";
    Ok(given(options, name)?.ok_or_else(|| options.wrong(name, expected))?)
}
