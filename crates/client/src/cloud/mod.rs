//! Which cloud, and as whom: from `clouds.yaml` (with `secure.yaml`) or from `OS_*` variables, as
//! openstacksdk and openstackclient read them.
//!
//! The order: a cloud named by the caller or by `OS_CLOUD`; else the variables, when `OS_AUTH_URL`
//! or an endpoint is among them; else the only cloud of the first `clouds.yaml` found; else the
//! cloud `tintype` that `tintype serve` writes into its state directory.

mod clouds_yaml;
mod environment;
mod settings;

use std::path::PathBuf;

use reqwest::Url;

pub use environment::Environment;

use crate::{Result, Secret};
use clouds_yaml::CloudsYaml;
use settings::Settings;

/// Where a cloud is, and who calls.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// In words, for messages: `cloud 'prod' of ./clouds.yaml`, `the environment`.
    pub origin: String,
    /// How to get a token.
    pub login: Login,
    /// The region whose image service is meant; any when none.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// The image service, when the catalog is not to be asked.
    pub image_endpoint: Option<Url>,
    /// Whom to trust.
    pub trust: Trust,
}

/// How to get a token.
#[derive(Debug, Clone)]
pub enum Login {
    /// No token is sent.
    None,
    /// This token is sent as it is; nobody is asked whether it is good.
    Given(Secret),
    /// Keystone v3 is asked for a token.
    Keystone(Box<KeystoneLogin>),
}

/// What Keystone is asked.
#[derive(Debug, Clone)]
pub struct KeystoneLogin {
    /// The identity service, with or without `/v3`.
    pub auth_url: Url,
    /// What to show it.
    pub proof: Proof,
    /// What the token shall be good for.
    pub scope: Scope,
}

/// What is shown to Keystone.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A user and a password.
    Password {
        /// The user.
        user: Named,
        /// The password.
        password: Secret,
    },
    /// An earlier token.
    Token(Secret),
    /// An application credential; its scope is its own.
    ApplicationCredential {
        /// Its id.
        id: Option<String>,
        /// Its name and its user, when there is no id.
        name: Option<(String, Named)>,
        /// Its secret.
        secret: Secret,
    },
}

/// A user or project: by id, or by name within a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(String),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// The domain that the name is unique in.
        domain: Domain,
    },
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What the identity service gives unasked.
    Unspecified,
    /// One project.
    Project(Named),
    /// One domain.
    Domain(Domain),
    /// The whole system.
    System,
}

/// Whose TLS certificates are accepted.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Authorities beside those of the system, as a PEM file.
    pub authorities: Option<PathBuf>,
    /// Accept any certificate.
    pub anyone: bool,
}

impl Cloud {
    /// The cloud called `name`, or the one that the process's environment means.
    pub fn from_env(name: Option<&str>) -> Result<Self> {
        Self::find(name, &Environment::of_process())
    }

    /// As [`Cloud::from_env`], in a given environment.
    pub fn find(name: Option<&str>, environment: &Environment) -> Result<Self> {
        let files = CloudsYaml::read_first(environment)?;
        let name = name.or_else(|| environment.get("OS_CLOUD"));
        let settings = match name {
            Some(name) => files.named(name, environment)?,
            None if environment.means_a_cloud() => Settings::of_variables(environment),
            None => files.only(environment)?,
        };
        settings.into_cloud()
    }
}

#[cfg(test)]
mod tests;
