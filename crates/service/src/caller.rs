//! Who calls, as an argument of a route.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use identity::Caller;

use crate::app::App;
use crate::error::ApiError;

/// The bearer of the request's `X-Auth-Token`. A route that takes it answers 401 to all others.
pub(crate) struct Authenticated(Arc<Caller>);

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequestParts<Arc<App>> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = parts.headers.get("x-auth-token").and_then(|token| token.to_str().ok());
        let token = token.ok_or(identity::Error::NotAuthenticated)?;
        Ok(Self(app.authenticator.authenticate(token).await?))
    }
}
