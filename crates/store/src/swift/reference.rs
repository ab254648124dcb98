//! Accounts by name: the sections of `swift_store_config_file`, or the one that the store's own
//! options describe (`default_swift_reference`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use client::Secret;
use client::cloud::{Domain, KeystoneLogin, Proof, Scope};
use config::{Config, Section};
use reqwest::Url;

use super::login::Login;
use crate::SettingsError;
use crate::kind::Options;

/// The accounts that locations may name.
pub(super) type References = BTreeMap<String, Login>;

/// Versions of the log-in: Keystone's, and Swift's own.
const KEYSTONE: &str = "3";
const OWN: &str = "1";

/// Reads the accounts, and the name of the one that takes new images.
pub(super) fn references(options: &Options<'_>) -> Result<(References, String), SettingsError> {
    let default: String = options.or("default_swift_reference", "ref1".to_owned())?;
    let references = match options.get::<PathBuf>("swift_store_config_file")? {
        Some(path) => of_file(options, path)?,
        None => References::from([(default.clone(), own(options)?)]),
    };
    match references.contains_key(&default) {
        true => Ok((references, default)),
        false => {
            let expected = "expected a section of swift_store_config_file";
            Err(options.wrong("default_swift_reference", expected).into())
        }
    }
}

fn of_file(options: &Options<'_>, path: PathBuf) -> Result<References, SettingsError> {
    let file = Config::read(&[path], &[])?;
    let version: String = options.or("swift_store_auth_version", KEYSTONE.to_owned())?;
    let names = file.section_names().map(str::to_owned).collect::<Vec<_>>();
    let read = |name: String| -> Result<(String, Login), SettingsError> {
        let login = of_section(&file.section(&name), &version)?;
        Ok((name, login))
    };
    names.into_iter().map(read).collect()
}

fn of_section(account: &Section<'_>, version: &str) -> Result<Login, SettingsError> {
    let given = |name: &str| -> config::Result<Option<String>> {
        let text: Option<String> = account.get(name)?;
        Ok(text.map(|text| text.trim_matches(['"', '\'']).to_owned()))
    };
    let needed = |name: &str| -> Result<String, SettingsError> {
        Ok(given(name)?.ok_or_else(|| account.wrong(name, "expected a value"))?)
    };
    let domain = |what: &str| -> Result<Domain, SettingsError> {
        let name = given(&format!("{what}_domain_name"))?.map(Domain::Name);
        let id = given(&format!("{what}_domain_id"))?.map(Domain::Id);
        Ok(id.or(name).unwrap_or_else(|| Domain::Id("default".to_owned())))
    };
    let version = given("auth_version")?.unwrap_or_else(|| version.to_owned());
    let wrong = |option, expected| account.wrong(option, expected);
    let auth =
        auth(&needed("auth_address")?).ok_or_else(|| wrong("auth_address", "expected a URL"))?;
    if let Some(id) = given("application_credential_id")? {
        return Ok(credential(auth, id, needed("application_credential_secret")?));
    }
    let account = Password {
        auth,
        version,
        user: needed("user")?,
        key: Secret::new(needed("key")?),
        project_domain: domain("project")?,
        user_domain: domain("user")?,
    };
    Ok(account.login().ok_or_else(|| wrong("user", "expected ACCOUNT:USER"))?)
}

/// The account that `swift_store_auth_address` and its companions describe.
fn own(options: &Options<'_>) -> Result<Login, SettingsError> {
    let needed = |name: &str| -> Result<String, SettingsError> {
        let given: Option<String> = options.get(name)?;
        let given = given.filter(|text| !text.is_empty());
        let expected = "expected a value, or a swift_store_config_file";
        Ok(given.ok_or_else(|| options.wrong(name, expected))?)
    };
    let auth = auth(&needed("swift_store_auth_address")?)
        .ok_or_else(|| options.wrong("swift_store_auth_address", "expected a URL"))?;
    // An application credential has its project already.
    options.get::<String>("swift_store_project_name")?;
    options.get::<String>("swift_store_project_id")?;
    let version = options.or("swift_store_auth_version", KEYSTONE.to_owned())?;
    let given = |name: &str| -> config::Result<bool> {
        Ok(options.get::<String>(name)?.is_some_and(|text| !text.is_empty()))
    };
    const ID: &str = "swift_store_application_credential_id";
    const SECRET: &str = "swift_store_application_credential_secret";
    // One without the other is refused, as in Glance.
    if given(ID)? || given(SECRET)? {
        return Ok(credential(auth, needed(ID)?, needed(SECRET)?));
    }
    let default = || Domain::Id("default".to_owned());
    let account = Password {
        auth,
        version,
        user: needed("swift_store_user")?,
        key: Secret::new(needed("swift_store_key")?),
        project_domain: default(),
        user_domain: default(),
    };
    let expected = "expected ACCOUNT:USER";
    Ok(account.login().ok_or_else(|| options.wrong("swift_store_user", expected))?)
}

/// Glance's default is HTTPS.
fn auth(address: &str) -> Option<Url> {
    let address = match address.contains("://") {
        true => address.to_owned(),
        false => format!("https://{address}"),
    };
    address.parse().ok().filter(Url::has_host)
}

/// A user with a password.
pub(super) struct Password {
    pub(super) auth: Url,
    pub(super) version: String,
    /// `ACCOUNT:USER`.
    pub(super) user: String,
    pub(super) key: Secret,
    pub(super) project_domain: Domain,
    pub(super) user_domain: Domain,
}

impl Password {
    /// The log-in; `None` where Keystone's lacks a project.
    pub(super) fn login(self) -> Option<Login> {
        if self.version == OWN {
            return Some(Login::Own { auth: self.auth, user: self.user, key: self.key });
        }
        let (project, user) = self.user.split_once(':')?;
        let project = (project, self.project_domain);
        Some(Login::keystone(self.auth, project, (user, self.user_domain), self.key))
    }
}

fn credential(auth_url: Url, id: String, secret: String) -> Login {
    let proof =
        Proof::ApplicationCredential { id: Some(id), name: None, secret: Secret::new(secret) };
    Login::Keystone(Box::new(KeystoneLogin { auth_url, proof, scope: Scope::Unspecified }))
}
