//! Filters of lists, from the query.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::builtin::error::Problem;

/// The query's parameters; of a repeated one the last.
pub(super) struct Filters(HashMap<String, String>);

impl Filters {
    /// A parameter's value.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// A parameter as Keystone reads flags: given without a value it is true.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let value = self.text(key)?.to_ascii_lowercase();
        Some(!matches!(value.as_str(), "0" | "f" | "false" | "n" | "no" | "off"))
    }

    /// Whether such a flag is set.
    pub(super) fn has(&self, key: &str) -> bool {
        self.flag(key).unwrap_or(false)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Filters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(parameters) = query.map_err(|why| Problem::Invalid(why.body_text()))?;
        Ok(Self(parameters))
    }
}
