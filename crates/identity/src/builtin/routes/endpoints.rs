//! `/v3/endpoints`: where the catalog's services are, read only.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::filters::Filters;
use super::links;
use crate::builtin::BuiltIn;
use crate::builtin::endpoints::Service;
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new().route("/v3/endpoints", get(list)).route("/v3/endpoints/{id}", get(show))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_endpoints")?;
    let wanted = all(&state).into_iter().filter(|endpoint| {
        ["service_id", "interface", "region_id"]
            .iter()
            .all(|key| filters.text(key).is_none_or(|value| endpoint[*key] == value))
    });
    Ok(links::list(&state, &uri, "endpoints", wanted))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:get_endpoint")?;
    let found = all(&state).into_iter().find(|endpoint| endpoint["id"] == id.as_str());
    let found = found.ok_or_else(|| Problem::not_found("endpoint", &id))?;
    Ok(links::item(&state, "endpoint", "endpoints", found))
}

fn all(state: &BuiltIn) -> Vec<Value> {
    state.endpoints.services().iter().flat_map(of_service).collect()
}

fn of_service(service: &Service) -> [Value; 3] {
    service.endpoints().map(|endpoint| {
        let mut found = endpoint.to_json();
        found["service_id"] = json!(service.id);
        found["enabled"] = json!(true);
        found
    })
}
