//! Keystone's interface: one file per resource.

mod auth;
mod auth_tokens;
mod bearer;
mod body;
mod domains;
mod endpoints;
mod fields;
mod filters;
mod grants;
mod implied_roles;
mod links;
mod password;
mod projects;
mod regions;
mod role_assignments;
mod roles;
mod services;
#[cfg(test)]
pub(super) mod testing;
mod users;
mod versions;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::middleware::map_response_with_state;
use axum::response::Response;

use super::BuiltIn;
use super::error::Problem;

/// Keystone's own limit, in bytes (`[oslo_middleware] max_request_body_size`).
const MAX_BODY: usize = 114_688;

pub(super) fn router(state: BuiltIn) -> Router {
    Router::new()
        .merge(versions::routes())
        .merge(auth_tokens::routes())
        .merge(auth::routes())
        .merge(domains::routes())
        .merge(projects::routes())
        .merge(users::routes())
        .merge(password::routes())
        .merge(roles::routes())
        .merge(implied_roles::routes())
        .merge(grants::routes())
        .merge(role_assignments::routes())
        .merge(services::routes())
        .merge(endpoints::routes())
        .merge(regions::routes())
        .fallback(async || Problem::NoSuchPath)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response_with_state(state.clone(), challenged))
        .with_state(state)
}

/// A challenge says where tokens are to be had.
async fn challenged(State(state): State<BuiltIn>, mut response: Response) -> Response {
    if let Some(challenge) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE)
        && let Ok(named) = format!("Keystone uri=\"{}\"", state.endpoints.identity()).parse()
    {
        *challenge = named;
    }
    response
}
