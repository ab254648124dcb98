//! Where the bytes of an import come from, one file for each kind.

mod glance;
mod web;

use std::collections::BTreeMap;

use axum::body::Body;
use image::{ContainerFormat, DiskFormat, Image};
use store::{FileStore, Store};

use super::body::Method;
use super::failure::Failure;
use crate::app::App;
use crate::keys::Token;

pub(super) use glance::Unreachable;

/// Bytes that are ready to be read, and what is known of them.
pub(super) struct Opened {
    pub(super) body: Body,
    pub(super) length: Option<u64>,
    /// The formats, where the source knows better than the record.
    pub(super) formats: Option<(DiskFormat, ContainerFormat)>,
    /// Properties that the source brings along.
    pub(super) properties: BTreeMap<String, String>,
}

impl Opened {
    fn plain(body: Body, length: Option<u64>) -> Self {
        Self { body, length, formats: None, properties: BTreeMap::new() }
    }
}

/// Opens the source that a method names. Copies have one of their own: see `run`.
pub(super) async fn open(
    app: &App,
    method: &Method,
    image: &Image,
    token: Option<&Token>,
) -> Result<Opened, Failure> {
    let settings = &app.imports.settings;
    match method {
        Method::GlanceDirect => staged(&app.imports.staging, &image.id.to_string()).await,
        Method::WebDownload(url) => {
            let url = url.as_deref().unwrap_or_default();
            web::open(&settings.fetcher, url).await
        }
        Method::GlanceDownload(remote) => glance::open(settings, remote, token).await,
        Method::CopyImage => Err(Failure::NoSource),
    }
}

/// A file of the staging area.
pub(super) async fn staged(staging: &FileStore, name: &str) -> Result<Opened, Failure> {
    let uri = format!("file://{}/{name}", staging.path().display());
    let store = |cause| Failure::Store { store: "os_glance_staging_store".to_owned(), cause };
    let size = match staging.size(&uri).await {
        Err(store::Error::NotFound(_)) => return Err(Failure::NotStaged),
        size => size.map_err(store)?,
    };
    let data = staging.open(&uri, 0..size).await.map_err(store)?;
    Ok(Opened::plain(Body::from_stream(data), Some(size)))
}
