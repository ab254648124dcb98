//! What Keystone's answers say: "Validate and show information for token" of the Identity API v3.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::access_rules::AccessRules;
use crate::Caller;

/// Whom a valid token stands for, and for what.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    pub(super) caller: Arc<Caller>,
    /// The only requests that it is for, if there are such.
    pub(super) access_rules: Option<Arc<AccessRules>>,
}

/// The body of an answer about a token.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) token: Token,
}

#[derive(Deserialize)]
pub(super) struct Token {
    user: User,
    project: Option<Project>,
    domain: Option<Named>,
    system: Option<System>,
    #[serde(default)]
    roles: Vec<Role>,
    pub(super) expires_at: Timestamp,
    application_credential: Option<ApplicationCredential>,
    is_admin_project: Option<bool>,
    #[serde(default)]
    pub(super) catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    name: String,
    domain: Option<Named>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    name: String,
    domain: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

#[derive(Deserialize)]
struct ApplicationCredential {
    access_rules: Option<AccessRules>,
}

#[derive(Deserialize)]
struct System {
    #[serde(default)]
    all: bool,
}

/// A service of the catalog.
#[derive(Deserialize)]
pub(super) struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    url: String,
    region: Option<String>,
    region_id: Option<String>,
}

impl Token {
    /// Whom it stands for, and for what.
    pub(super) fn bearer(mut self) -> Bearer {
        let credential = self.application_credential.take();
        Bearer {
            access_rules: credential.and_then(|credential| credential.access_rules).map(Arc::new),
            caller: Arc::new(self.caller()),
        }
    }

    /// Who bears it. Names of roles are in small letters, as Glance has them.
    fn caller(self) -> Caller {
        let domain = |domain: Option<Named>| domain.map(|domain| domain.id);
        let (project_id, project_name, project_domain) = match self.project {
            Some(project) => (Some(project.id), Some(project.name), domain(project.domain)),
            None => (None, None, None),
        };
        let mut caller = Caller {
            user_id: self.user.id,
            user_name: self.user.name,
            user_domain_id: domain(self.user.domain).unwrap_or_default(),
            project_id,
            project_name,
            project_domain_id: project_domain,
            domain_id: domain(self.domain),
            system_scope: self.system.filter(|system| system.all).map(|_| "all".to_owned()),
            roles: self.roles.into_iter().map(|role| role.name.to_lowercase()).collect(),
            is_admin_project: self.is_admin_project.unwrap_or(true),
            is_admin: false,
            service: None,
            expires_at: self.expires_at,
        };
        caller.is_admin = caller.has_role("admin");
        caller
    }

    /// The URL of Keystone itself in the catalog.
    pub(super) fn identity_url(&self, interface: &str, region: Option<&str>) -> Option<&str> {
        let identity = self.catalog.iter().filter(|service| service.kind == "identity");
        let mut endpoints = identity.flat_map(|service| &service.endpoints);
        let here = |endpoint: &Endpoint| {
            let found = endpoint.region_id.as_deref().or(endpoint.region.as_deref());
            region.is_none() || found == region
        };
        endpoints
            .find(|endpoint| endpoint.interface == interface && here(endpoint))
            .map(|endpoint| endpoint.url.as_str())
    }
}
