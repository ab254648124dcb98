//! The routes, one file per resource. To add one: a file with `routes()`, and a line here.

mod actions;
mod cache;
mod data;
mod health;
mod images;
mod imports;
mod info;
mod locations;
mod members;
mod metadefs;
mod openapi;
mod schemas;
mod stores;
mod tags;
mod tasks;
mod usage;
mod versions;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::Result;
use crate::openapi::Operation;
use crate::{cors, gate, rendering};

/// The Image API, with versions at `/` and the API at `/v2`.
pub fn router(app: Arc<App>) -> Router {
    let v2 = Router::new()
        .merge(images::routes())
        .merge(data::routes())
        .merge(imports::routes())
        .merge(tasks::routes())
        .merge(actions::routes())
        .merge(members::routes())
        .merge(tags::routes())
        .merge(metadefs::routes())
        .merge(schemas::routes())
        .merge(info::routes())
        .merge(cache::routes())
        .merge(locations::routes())
        .merge(stores::routes())
        .merge(usage::routes())
        .merge(openapi::routes());
    Router::new()
        .merge(versions::routes())
        .merge(health::routes())
        .nest("/v2", v2)
        .fallback(versions::other)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), gate::guard))
        .layer(middleware::from_fn(rendering::render))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), cors::apply))
        .with_state(app)
}

/// What the routes do, for the description of the API.
pub(crate) fn operations() -> Vec<Operation> {
    [
        versions::OPERATIONS,
        health::OPERATIONS,
        images::OPERATIONS,
        data::OPERATIONS,
        imports::OPERATIONS,
        tasks::OPERATIONS,
        actions::OPERATIONS,
        members::OPERATIONS,
        tags::OPERATIONS,
        &metadefs::operations(),
        schemas::OPERATIONS,
        info::OPERATIONS,
        cache::OPERATIONS,
        locations::OPERATIONS,
        stores::OPERATIONS,
        usage::OPERATIONS,
        openapi::OPERATIONS,
    ]
    .concat()
}

/// The answer to a method that a path does not take; who has no token does not learn which.
async fn wrong_method(caller: Result<Authenticated>, method: Method) -> Response {
    match (caller, method) {
        (Err(error), _) => error.into_response(),
        // As the middleware for CORS answers that Glance has in front of it.
        (_, Method::OPTIONS) => StatusCode::OK.into_response(),
        (_, method) => gate::wrong_method(&method).into_response(),
    }
}
