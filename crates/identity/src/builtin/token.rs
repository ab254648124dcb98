//! What a valid token says, beyond who the caller is.

use std::sync::Arc;

use jiff::Timestamp;

use super::database::roles::Role;
use crate::Caller;
use crate::digest::Digest;

/// A token that was found valid, without its secret.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) digest: Digest,
    pub(crate) caller: Arc<Caller>,
    pub(crate) user_domain: Named,
    pub(crate) scope: Option<ScopeNames>,
    /// With their ids; the caller has the names.
    pub(crate) roles: Vec<Role>,
    pub(crate) methods: Vec<String>,
    pub(crate) audit_ids: Vec<String>,
    pub(crate) issued_at: Timestamp,
}

/// Something by id and name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// What a token is scoped to, with names.
#[derive(Debug, Clone)]
pub(crate) enum ScopeNames {
    Project { project: Named, domain: Named },
    Domain(Named),
}
