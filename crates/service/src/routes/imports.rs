//! `/v2/images/{image_id}/import` and `/stage`: bytes that come otherwise than by an upload.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{post, put};
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};
use identity::policy::Action;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::{Content, Operation};
use crate::quota::{self, Resource};
use crate::rendering::RequestId;
use crate::{body, imports};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::post("/v2/images/{image_id}/import", "Import the bytes of an image")
        .takes(Content::Json("object"))
        .answers(202, Content::Nothing),
    Operation::put(
        "/v2/images/{image_id}/stage",
        "Upload the bytes of an image to the staging area",
    )
    .headers(&[("X-Openstack-Image-Size", "integer")])
    .takes(Content::Bytes),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/images/{image_id}/import", post(import))
        .route("/images/{image_id}/stage", put(stage))
}

async fn import(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    Extension(RequestId(request)): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode> {
    let wanted = body::json(&headers, body).await?;
    imports::admit(&app, &caller, &id, &headers, &wanted, Some(request)).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn stage(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode> {
    if !app.imports.settings.methods.iter().any(|name| name == "glance-direct") {
        let message = "'glance-direct' method is not available at this site.";
        return Err(ApiError::not_found(message));
    }
    body::expect_type(&headers, &["application/octet-stream"])?;
    let announced = body::Announced::by(&headers)?;
    let whole_mib = announced.length.unwrap_or(0) >> 20;
    quota::enforce(&app, caller.project_id.as_deref(), Resource::StageTotal, whole_mib).await?;
    let image = app.permitted(&caller, &id, Action::ModifyImage).await?;
    imports::stage(app, &caller, image, body, announced).await?;
    Ok(StatusCode::NO_CONTENT)
}
