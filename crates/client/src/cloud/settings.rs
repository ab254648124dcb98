//! From the words of `clouds.yaml` or the environment to a [`Cloud`].

use std::collections::BTreeMap;

use reqwest::Url;

use super::{Cloud, Domain, Environment, KeystoneLogin, Login, Named, Proof, Scope, Trust};
use crate::{Error, Result, Secret};

/// The origin of settings that come from variables alone.
const THE_ENVIRONMENT: &str = "the environment";

/// A setting: its key in `clouds.yaml`, its variable, and what it is in words.
struct Key {
    name: &'static str,
    variable: &'static str,
    what: &'static str,
}

const fn key(name: &'static str, variable: &'static str, what: &'static str) -> Key {
    Key { name, variable, what }
}

const AUTH_TYPE: Key = key("auth_type", "OS_AUTH_TYPE", "the way to log in");
const AUTH_URL: Key = key("auth_url", "OS_AUTH_URL", "the address of the identity service");
const USERNAME: Key = key("username", "OS_USERNAME", "the user name");
const PASSWORD: Key = key("password", "OS_PASSWORD", "the password");
const TOKEN: Key = key("token", "OS_TOKEN", "the token");
const IMAGE_ENDPOINT: Key = key(
    "image_endpoint_override",
    "OS_IMAGE_ENDPOINT_OVERRIDE",
    "the address of the image service",
);
const CREDENTIAL_ID: Key =
    key("application_credential_id", "OS_APPLICATION_CREDENTIAL_ID", "the application credential");
const CREDENTIAL_SECRET: Key = key(
    "application_credential_secret",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "the secret of the application credential",
);

/// Settings, and the variables that set them; a later variable is an older name of the same.
const VARIABLES: &[(&str, &[&str])] = &[
    (AUTH_TYPE.name, &[AUTH_TYPE.variable]),
    (AUTH_URL.name, &[AUTH_URL.variable]),
    (USERNAME.name, &[USERNAME.variable]),
    ("user_id", &["OS_USER_ID"]),
    (PASSWORD.name, &[PASSWORD.variable]),
    (TOKEN.name, &[TOKEN.variable]),
    ("user_domain_name", &["OS_USER_DOMAIN_NAME"]),
    ("user_domain_id", &["OS_USER_DOMAIN_ID"]),
    ("project_name", &["OS_PROJECT_NAME", "OS_TENANT_NAME"]),
    ("project_id", &["OS_PROJECT_ID", "OS_TENANT_ID"]),
    ("project_domain_name", &["OS_PROJECT_DOMAIN_NAME"]),
    ("project_domain_id", &["OS_PROJECT_DOMAIN_ID"]),
    ("domain_name", &["OS_DOMAIN_NAME"]),
    ("domain_id", &["OS_DOMAIN_ID"]),
    ("default_domain", &["OS_DEFAULT_DOMAIN"]),
    ("system_scope", &["OS_SYSTEM_SCOPE"]),
    (CREDENTIAL_ID.name, &[CREDENTIAL_ID.variable]),
    ("application_credential_name", &["OS_APPLICATION_CREDENTIAL_NAME"]),
    (CREDENTIAL_SECRET.name, &[CREDENTIAL_SECRET.variable]),
    ("region_name", &["OS_REGION_NAME"]),
    ("interface", &["OS_INTERFACE", "OS_ENDPOINT_TYPE"]),
    ("cacert", &["OS_CACERT"]),
    ("insecure", &["OS_INSECURE"]),
    ("verify", &[]),
    (IMAGE_ENDPOINT.name, &[IMAGE_ENDPOINT.variable]),
    ("endpoint_override", &["OS_ENDPOINT_OVERRIDE"]),
    // What keystoneauth's `none` and `admin_token` call the endpoint.
    ("endpoint", &["OS_ENDPOINT"]),
];

/// What a chosen cloud may take from the environment: secrets that one keeps out of files, and
/// where to go. Never who: a forgotten `OS_USERNAME` must not change the cloud asked for.
const COMPLETING: &[&str] = &[
    PASSWORD.name,
    CREDENTIAL_SECRET.name,
    "region_name",
    "interface",
    "cacert",
    "insecure",
    IMAGE_ENDPOINT.name,
];

/// Whether a key beside `auth` in `clouds.yaml` means something here.
pub(super) fn is_known(key: &str) -> bool {
    VARIABLES.iter().any(|(name, _)| *name == key)
}

/// Settings, flat: what is below `auth` in `clouds.yaml` and what is beside it.
pub(super) struct Settings {
    origin: String,
    values: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn new(origin: String, values: BTreeMap<String, String>) -> Self {
        Self { origin, values }
    }

    pub(super) fn of_variables(environment: &Environment) -> Self {
        Self::new(THE_ENVIRONMENT.to_owned(), BTreeMap::new()).filled(environment, |_| true)
    }

    pub(super) fn completed_by(self, environment: &Environment) -> Self {
        self.filled(environment, |name| COMPLETING.contains(&name))
    }

    fn filled(mut self, environment: &Environment, wanted: impl Fn(&str) -> bool) -> Self {
        for (name, variables) in VARIABLES.iter().filter(|(name, _)| wanted(name)) {
            let value = variables.iter().find_map(|variable| environment.get(variable));
            if let (Some(value), None) = (value, self.get(name)) {
                self.values.insert((*name).to_owned(), value.to_owned());
            }
        }
        self
    }

    pub(super) fn into_cloud(self) -> Result<Cloud> {
        let image_endpoint = self.image_endpoint()?;
        Ok(Cloud {
            login: self.login(image_endpoint.is_some())?,
            region: self.owned("region_name"),
            interface: self.interface()?,
            trust: self.trust()?,
            image_endpoint,
            origin: self.origin,
        })
    }

    fn login(&self, has_endpoint: bool) -> Result<Login> {
        let auth_type = self.get(AUTH_TYPE.name).unwrap_or_else(|| self.likely_auth_type());
        match auth_type {
            "none" | "noauth" if has_endpoint => Ok(Login::None),
            "none" | "noauth" => Err(self.missing(&IMAGE_ENDPOINT)),
            "admin_token" => Ok(Login::Given(self.secret(&TOKEN)?)),
            "token" | "v3token" if has_endpoint && self.get(AUTH_URL.name).is_none() => {
                Ok(Login::Given(self.secret(&TOKEN)?))
            }
            "token" | "v3token" => self.keystone(Proof::Token(self.secret(&TOKEN)?)),
            "password" | "v3password" => self.keystone(Proof::Password {
                user: self.user()?,
                password: self.secret(&PASSWORD)?,
            }),
            "v3applicationcredential" => self.keystone(self.application_credential()?),
            other => Err(self.unfit(
                AUTH_TYPE.name,
                other,
                "none, token, password or v3applicationcredential is expected",
            )),
        }
    }

    /// What `auth_type` would say, when it says nothing.
    fn likely_auth_type(&self) -> &'static str {
        let has = |name: &str| self.get(name).is_some();
        if has(CREDENTIAL_ID.name) || has("application_credential_name") {
            "v3applicationcredential"
        } else if has(TOKEN.name) && !has(PASSWORD.name) {
            "token"
        } else if (has(IMAGE_ENDPOINT.name) || has("endpoint_override")) && !has(AUTH_URL.name) {
            "none"
        } else {
            "password"
        }
    }

    fn keystone(&self, proof: Proof) -> Result<Login> {
        let auth_url = self.get(AUTH_URL.name).ok_or_else(|| self.missing(&AUTH_URL))?;
        Ok(Login::Keystone(Box::new(KeystoneLogin {
            auth_url: self.url(AUTH_URL.name, auth_url)?,
            // An application credential's scope is its own: Keystone refuses another.
            scope: match proof {
                Proof::ApplicationCredential { .. } => Scope::Unspecified,
                _ => self.scope(),
            },
            proof,
        })))
    }

    fn user(&self) -> Result<Named> {
        self.named("user_id", USERNAME.name, "user_domain_id", "user_domain_name")
            .ok_or_else(|| self.missing(&USERNAME))
    }

    fn application_credential(&self) -> Result<Proof> {
        let secret = self.secret(&CREDENTIAL_SECRET)?;
        let id = self.owned(CREDENTIAL_ID.name);
        let name = match (&id, self.owned("application_credential_name")) {
            (Some(_), _) => None,
            (None, Some(name)) => Some((name, self.user()?)),
            (None, None) => return Err(self.missing(&CREDENTIAL_ID)),
        };
        Ok(Proof::ApplicationCredential { id, name, secret })
    }

    fn scope(&self) -> Scope {
        let project =
            self.named("project_id", "project_name", "project_domain_id", "project_domain_name");
        if let Some(project) = project {
            Scope::Project(project)
        } else if let Some(domain) = self.domain("domain_id", "domain_name") {
            Scope::Domain(domain)
        } else if self.get("system_scope").is_some() {
            Scope::System
        } else {
            Scope::Unspecified
        }
    }

    fn named(&self, id: &str, name: &str, domain_id: &str, domain_name: &str) -> Option<Named> {
        if let Some(id) = self.owned(id) {
            return Some(Named::Id(id));
        }
        let name = self.owned(name)?;
        let domain = self.domain(domain_id, domain_name).unwrap_or_else(|| {
            // As openstackclient does: the domain that every Keystone starts with.
            Domain::Id(self.get("default_domain").unwrap_or("default").to_owned())
        });
        Some(Named::Name { name, domain })
    }

    fn domain(&self, id: &str, name: &str) -> Option<Domain> {
        self.owned(id).map(Domain::Id).or_else(|| self.owned(name).map(Domain::Name))
    }

    fn image_endpoint(&self) -> Result<Option<Url>> {
        [IMAGE_ENDPOINT.name, "endpoint_override", "endpoint"]
            .into_iter()
            .find_map(|name| self.get(name).map(|value| self.url(name, value)))
            .transpose()
    }

    fn interface(&self) -> Result<String> {
        let value = self.get("interface").unwrap_or("public");
        // Keystone v2 wrote publicURL, and old files still do.
        let word = value.strip_suffix("URL").unwrap_or(value);
        if ["public", "internal", "admin"].contains(&word) {
            return Ok(word.to_owned());
        }
        Err(self.unfit("interface", value, "public, internal or admin is expected"))
    }

    fn trust(&self) -> Result<Trust> {
        let anyone = self.flag("insecure")?.unwrap_or(false) || self.flag("verify")? == Some(false);
        Ok(Trust { authorities: self.get("cacert").map(Into::into), anyone })
    }

    /// A truth value in one of the spellings of oslo.utils and YAML 1.1.
    fn flag(&self, name: &'static str) -> Result<Option<bool>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.to_ascii_lowercase().as_str() {
            "1" | "t" | "true" | "on" | "y" | "yes" => Ok(Some(true)),
            "0" | "f" | "false" | "off" | "n" | "no" => Ok(Some(false)),
            _ => Err(self.unfit(name, value, "true or false is expected")),
        }
    }

    fn url(&self, name: &'static str, value: &str) -> Result<Url> {
        Url::parse(value).ok().filter(|url| ["http", "https"].contains(&url.scheme())).ok_or_else(
            || self.unfit(name, value, "an address such as http://controller:5000/v3 is expected"),
        )
    }

    fn secret(&self, key: &Key) -> Result<Secret> {
        self.get(key.name).map(Secret::new).ok_or_else(|| self.missing(key))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    fn missing(&self, key: &Key) -> Error {
        let key_here = if self.origin == THE_ENVIRONMENT { key.variable } else { key.name };
        Error::Missing { what: key.what, key: key_here, origin: self.origin.clone() }
    }

    fn unfit(&self, key: &'static str, value: &str, expected: &str) -> Error {
        let (value, expected) = (value.to_owned(), expected.to_owned());
        Error::Setting { key, value, expected, origin: self.origin.clone() }
    }
}
