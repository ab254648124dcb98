//! Who calls.

use jiff::Timestamp;

/// What a valid token says of its bearer. Never holds the token itself, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user, by id.
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
    /// Names of the roles in that scope, implied ones included.
    pub roles: Vec<String>,
    /// Holds the role `admin` in that scope: Glance's `context_is_admin`.
    pub is_admin: bool,
    /// The token is worthless from this instant on.
    pub expires_at: Timestamp,
}

impl Caller {
    /// Whether the token's life is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// Whether the caller holds a role; names are compared without case, as oslo.policy does.
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.eq_ignore_ascii_case(name))
    }
}
