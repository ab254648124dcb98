//! `/v2/images/{image_id}/file`: bytes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::put;
use http::{HeaderMap, StatusCode};
use identity::policy::Action;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::Result;
use crate::{body, download, upload};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/images/{image_id}/file", put(write).get(read))
}

async fn write(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode> {
    body::expect_type(&headers, &["application/octet-stream"])?;
    let image = app.permitted(&caller, &id, Action::UploadImage).await?;
    let store = headers.get("x-image-meta-store").and_then(|name| name.to_str().ok());
    let length = body::content_length(&headers);
    upload::upload(app, image, body, length, store.map(str::to_owned)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let image = app.permitted(&caller, &id, Action::DownloadImage).await?;
    download::download(&app, &caller, &image, &headers).await
}
