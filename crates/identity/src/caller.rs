//! Who calls.

use jiff::Timestamp;

/// What a valid token says of its bearer. Never holds the token itself, so it may be logged. The
/// default is nobody: without a name, without rights, expired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user, by id; empty for a caller without a token.
    pub user_id: String,
    /// The user's name, unique within its domain.
    pub user_name: String,
    /// The domain that the user belongs to, by id.
    pub user_domain_id: String,
    /// The project that the token is scoped to, by id; none on an unscoped or domain token.
    pub project_id: Option<String>,
    /// That project's name.
    pub project_name: Option<String>,
    /// The domain which that project belongs to, by id.
    pub project_domain_id: Option<String>,
    /// The domain that the token is scoped to, by id; none on an unscoped or project token.
    pub domain_id: Option<String>,
    /// `all` when the token is scoped to the whole system.
    pub system_scope: Option<String>,
    /// Names of the roles in that scope, implied ones included.
    pub roles: Vec<String>,
    /// The project is the one that Keystone was told to be the administrators'. Told nothing,
    /// every project is.
    pub is_admin_project: bool,
    /// An administrator of images. What an authenticator says here is its guess; the policy's rule
    /// `context_is_admin` decides.
    pub is_admin: bool,
    /// The service that passes the request on, when it has proved itself with a token of its own.
    pub service: Option<Box<ServiceCaller>>,
    /// The token is worthless from this instant on.
    pub expires_at: Timestamp,
}

/// The service that passes a request on, as the token in `X-Service-Token` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceCaller {
    /// Its user, by id.
    pub user_id: String,
    /// The domain of that user, by id.
    pub user_domain_id: String,
    /// Its project, by id.
    pub project_id: Option<String>,
    /// The domain of that project, by id.
    pub project_domain_id: Option<String>,
    /// Names of its roles.
    pub roles: Vec<String>,
}

impl Caller {
    /// Whether the token's life is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Whether nobody knows who calls.
    pub fn is_anonymous(&self) -> bool {
        self.user_id.is_empty()
    }

    /// Whether the caller holds a role; names are compared without case, as oslo.policy does.
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.eq_ignore_ascii_case(name))
    }

    /// The same caller, whose request this service passes on.
    pub fn through(&self, service: &Caller) -> Self {
        let service = ServiceCaller {
            user_id: service.user_id.clone(),
            user_domain_id: service.user_domain_id.clone(),
            project_id: service.project_id.clone(),
            project_domain_id: service.project_domain_id.clone(),
            roles: service.roles.clone(),
        };
        Self { service: Some(Box::new(service)), ..self.clone() }
    }
}
