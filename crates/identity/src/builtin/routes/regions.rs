//! `/v3/regions`: there is one.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::links;
use crate::builtin::BuiltIn;
use crate::builtin::endpoints::REGION;
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new().route("/v3/regions", get(list)).route("/v3/regions/{id}", get(show))
}

/// Anybody with a token, as in Keystone.
async fn list(State(state): State<BuiltIn>, _: Bearer, uri: Uri) -> Json<Value> {
    links::list(&state, &uri, "regions", [region()])
}

async fn show(
    State(state): State<BuiltIn>,
    _: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    match id == REGION {
        true => Ok(links::item(&state, "region", "regions", region())),
        false => Err(Problem::not_found("region", &id)),
    }
}

fn region() -> Value {
    json!({"id": REGION, "description": "", "parent_region_id": null})
}

#[cfg(test)]
mod tests {
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn the_region_is_for_everybody_with_a_token() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, ..) = cloud.member(&admin).await;
        let list = cloud.get("/v3/regions", Some(&member)).await;
        assert_eq!(list.body["regions"][0]["id"], "RegionOne");
        let shown = cloud.get("/v3/regions/RegionOne", Some(&member)).await;
        assert_eq!(shown.body["region"], list.body["regions"][0]);
        assert_eq!(cloud.get("/v3/regions/Mars", Some(&member)).await.status, 404);
        assert_eq!(cloud.get("/v3/regions", None).await.status, 401);
    }
}
