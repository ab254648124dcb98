//! `/v2/images/{image_id}/file`: bytes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::put;
use http::{HeaderMap, StatusCode};
use identity::policy::Action;
use image::Image;

use crate::app::{self, App};
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::keys::Token;
use crate::openapi::{Content, Operation};
use crate::quota::Allowance;
use crate::upload::Terms;
use crate::{body, download, listing, upload};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::put("/v2/images/{image_id}/file", "Upload the bytes of an image")
        .headers(&[("X-Image-Meta-Store", "string"), ("X-Openstack-Image-Size", "integer")])
        .takes(Content::Bytes),
    Operation::get("/v2/images/{image_id}/file", "Download the bytes of an image")
        .headers(&[("Range", "string"), ("If-None-Match", "string"), ("If-Match", "string")])
        .answers(200, Content::Bytes),
];

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
    let app = app.used_by(&caller, &headers);
    let image = app.permitted(&caller, &id, Action::UploadImage).await?;
    let store = headers.get("x-image-meta-store").and_then(|name| name.to_str().ok());
    // Where stores have no names, Glance does not look at it.
    let store = store.filter(|_| app.stores.are_named());
    let announced = body::Announced::by(&headers)?;
    let allowance = Allowance::for_upload(&app, &caller, image.id, announced).await?;
    let terms = Terms { store: store.map(str::to_owned), token: Token::of(&headers), allowance };
    upload::upload(app, image, body, announced.length, terms).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let app = app.used_by(&caller, &headers);
    let mut image = app.permitted(&caller, &id, Action::DownloadImage).await?;
    let preferred = preferred(query.as_deref());
    if !preferred.is_empty() {
        app.policy.check(Action::DownloadFromStore, &caller, &app::target(&image))?;
        prefer(&app, &mut image, &preferred)?;
    }
    download::download(&app, &caller, &image, &headers).await
}

/// The stores of the query's `prefer`, a list with commas.
fn preferred(query: Option<&str>) -> Vec<String> {
    let parameters = listing::parameters(query);
    let lists = parameters.iter().filter(|(name, _)| name == "prefer");
    let names = lists.flat_map(|(_, list)| list.split(','));
    names.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Puts the locations in these stores first. The others follow: a preference is no condition.
fn prefer(app: &App, image: &mut Image, stores: &[String]) -> Result<()> {
    if !app.stores.are_named() {
        return Err(ApiError::bad_request(
            "Store selection for download is not available when multiple backends are not \
             enabled.",
        ));
    }
    for store in stores {
        app.stores
            .get(Some(store))
            .map_err(|_| ApiError::bad_request(format!("Store '{store}' is not configured.")))?;
    }
    image.locations.sort_by_key(|location| {
        !location.store.as_ref().is_some_and(|store| stores.contains(store))
    });
    Ok(())
}
