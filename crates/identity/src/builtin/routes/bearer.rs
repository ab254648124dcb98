//! Who asks, and whether it may.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::builtin::BuiltIn;
use crate::builtin::error::Problem;
use crate::builtin::token::Token;

const HEADER: &str = "x-auth-token";

/// Who sent `X-Auth-Token`.
pub(super) struct Bearer(pub(super) Arc<Token>);

impl Bearer {
    /// Forbids `action` to all but administrators.
    pub(super) fn admin(&self, action: &'static str) -> Result<(), Problem> {
        self.admin_or(false, action)
    }

    /// Forbids `action` to all but administrators and those whose own it is.
    pub(super) fn admin_or(&self, own: bool, action: &'static str) -> Result<(), Problem> {
        match own || self.0.caller.is_admin {
            true => Ok(()),
            false => Err(Problem::Forbidden(action)),
        }
    }

    /// Whether this is the user `id`.
    pub(super) fn is_user(&self, id: &str) -> bool {
        self.0.caller.user_id == id
    }

    /// Whether this is scoped to the project `id`.
    pub(super) fn is_in_project(&self, id: &str) -> bool {
        self.0.caller.project_id.as_deref() == Some(id)
    }
}

impl FromRequestParts<BuiltIn> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &BuiltIn) -> Result<Self, Problem> {
        let header = parts.headers.get(HEADER).ok_or(Problem::Unauthorized)?;
        let secret = header.to_str().map_err(|_| Problem::Unauthorized)?;
        match state.validate(secret).await {
            Ok(token) => Ok(Self(token)),
            Err(Problem::TokenNotFound) => Err(Problem::Unauthorized),
            Err(other) => Err(other),
        }
    }
}
