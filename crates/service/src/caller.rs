//! Who calls, as an argument of a route.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use http::request::Parts;
use identity::{Asked, Caller, Shown};

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
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        // Below `/v2` the URI itself has lost its beginning.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let shown = Shown {
            token: header("x-auth-token"),
            service_token: header("x-service-token"),
            asked: Asked { method: parts.method.as_str(), path: uri.path() },
        };
        let admitted = app.authenticator.admit(shown).await;
        let caller = admitted
            .map_err(|error| ApiError::unidentified(error, app.authenticator.identity_url()))?;
        if caller.is_anonymous() && !parts.method.is_safe() {
            return Err(ApiError::forbidden("Read-only access"));
        }
        Ok(Self(ranked(caller, app)))
    }
}

/// The caller as an administrator or not, as the policy has it.
fn ranked(caller: Arc<Caller>, app: &App) -> Arc<Caller> {
    match app.policy.is_admin(&caller) {
        is_admin if is_admin == caller.is_admin => caller,
        is_admin => Arc::new(Caller { is_admin, ..Arc::unwrap_or_clone(caller) }),
    }
}
