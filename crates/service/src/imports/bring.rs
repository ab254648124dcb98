//! The bytes of one import: where they come from, what plugins make of them, and where they go.

use std::collections::BTreeMap;

use axum::body::Body;
use catalog::{Imported, ImportedData, Viewer};
use image::{ContainerFormat, DiskFormat, Image};

use super::body::Method;
use super::clones::{Cloned, clone};
use super::failure::Failure;
use super::groups;
use super::inject;
use super::order::Order;
use super::pipe::{Running, Written, intake, remove};
use super::plugins::{self, Staged, Stop};
use super::pulse::Copied;
use super::quotas;
use super::signed;
use super::source::{self, Opened};
use super::spread::Target;
use super::told;
use super::worker::Job;
use crate::app::App;
use crate::digest::Digests;
use crate::{leftovers, upload};

/// Brings them. On an error nothing is left in the stores.
pub(super) async fn bring(
    app: &App,
    job: &Job,
    order: &Order,
    copied: Copied,
) -> Result<Imported, Failure> {
    let mut image = app.catalog.get(&Viewer::service(), order.image).await?;
    app.stores.settle(&mut image.locations);
    let targets = targets(app, order)?;
    quotas::check(app, job, order, &image).await?;
    if job.is_recovered {
        super::recovery::clear(app, &targets, order).await;
    }
    for (store, _) in &targets {
        leftovers::make_room(app, image.id, store).await;
    }
    match order.method {
        Method::CopyImage => copy(app, job, order, &image, &targets, copied).await,
        _ => fill(app, job, order, &image, &targets, copied).await,
    }
}

/// The stores that an import goes to.
pub(super) fn targets(app: &App, order: &Order) -> Result<Vec<Target>, Failure> {
    let named = |name: &String| {
        let (name, store) = app.stores.get(Some(name))?;
        Ok((name.to_owned(), store.clone()))
    };
    order.stores.iter().map(named).collect()
}

/// The stores that an import has to do with: those that it goes to, and the one that a copy comes from.
pub(super) async fn concerned(app: &App, order: &Order) -> Vec<Target> {
    // Whatever can't be had is told when the bytes are brought.
    let mut stores = targets(app, order).unwrap_or_default();
    if order.method == Method::CopyImage
        && let Ok(mut image) = app.catalog.get(&Viewer::service(), order.image).await
    {
        app.stores.settle(&mut image.locations);
        let holder = image.locations.first().and_then(|first| app.stores.find(first));
        stores.extend(holder.map(|holder| (holder.name.clone(), holder.store.clone())));
    }
    stores
}

/// Bytes for an image that has none.
async fn fill(
    app: &App,
    job: &Job,
    order: &Order,
    image: &Image,
    targets: &[Target],
    copied: Copied,
) -> Result<Imported, Failure> {
    let settings = &app.imports.settings;
    let mut properties = match order.injects {
        true => inject::properties(settings),
        false => BTreeMap::new(),
    };
    let opened = source::open(app, &order.method, image, job.token.as_ref()).await?;
    properties.extend(opened.properties.clone());
    let formats = opened.formats.or(image.disk_format.zip(image.container_format));
    let (disk, container) = formats.ok_or(Failure::Unreadable)?;
    let Prepared { opened, disk, container } = prepare(app, order, opened, disk, container).await?;
    let inspector = upload::inspector(app, Some(disk), Some(container));
    let (most, length) = (app.limits.image_size, opened.length);
    let allowance = quotas::allowance(app, job, image.id, most, length).await?;
    let digests = signed_digests(app, job, image, &properties).await?;
    let intake = intake(opened.body, allowance.bounds, inspector, digests);
    told::preparing(app, image, order);
    let written = groups::write(app, order, targets, intake, length, copied).await?;
    Ok(Imported {
        locations: written.locations,
        failed: written.failed,
        stores: order.named_stores(app),
        data: Some(ImportedData {
            size: written.size,
            virtual_size: written.facts.virtual_size,
            hashes: written.facts.hashes,
            formats: Some((disk, container)),
        }),
        properties,
    })
}

/// With the properties that the image is about to get.
async fn signed_digests(
    app: &App,
    job: &Job,
    image: &Image,
    properties: &BTreeMap<String, String>,
) -> Result<Digests, Failure> {
    let mut image = image.clone();
    image.properties.extend(properties.clone());
    signed::digests(app, &image, &app.limits.hash_algorithm, job.token.as_ref()).await
}

struct Prepared {
    opened: Opened,
    disk: DiskFormat,
    container: ContainerFormat,
}

/// Lets the plugins at the bytes, in a file, if any of them wants that.
async fn prepare(
    app: &App,
    order: &Order,
    opened: Opened,
    disk: DiskFormat,
    container: ContainerFormat,
) -> Result<Prepared, Failure> {
    let imports = &app.imports;
    let plugins: Vec<_> =
        imports.settings.plugins.iter().copied().filter(|p| p.needs_file()).collect();
    if plugins.is_empty() {
        return Ok(Prepared { opened, disk, container });
    }
    if order.method != Method::GlanceDirect {
        super::staging::receive(app, order.image, opened.body, opened.length).await?;
    }
    let path = imports.staging.path().join(order.image.to_string());
    let mut staged = Staged { path, disk, container };
    let stop = Stop::default();
    let _stopped = stop.when_dropped();
    for plugin in plugins {
        let bounds = plugins::Bounds {
            size: app.limits.image_size,
            format: imports.settings.output_format,
            tables: app.rules.formats.tables,
            vmdk_types: imports.settings.vmdk_types.clone(),
            stop: stop.clone(),
        };
        let work = tokio::task::spawn_blocking(move || plugin.change(staged, &bounds)).await;
        staged = work
            .map_err(|_| Failure::Panicked)?
            .map_err(|cause| Failure::Plugin { name: plugin.name(), cause })?;
    }
    let name = staged.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let opened = source::staged(&imports.staging, name).await?;
    Ok(Prepared { opened, disk: staged.disk, container: staged.container })
}

/// More stores for an image that has bytes, which have to be those that its record describes.
async fn copy(
    app: &App,
    job: &Job,
    order: &Order,
    image: &Image,
    targets: &[Target],
    copied: Copied,
) -> Result<Imported, Failure> {
    let token = job.token.as_ref();
    let allowance = quotas::allowance(app, job, image.id, u64::MAX, image.size).await?;
    told::preparing(app, image, order);
    let Cloned { mut locations, rest } = clone(app, image, targets, token, &copied).await?;
    let mut failed = Vec::new();
    if !rest.is_empty() {
        let source = async {
            let (body, size) = open_any(app, image).await?;
            let digests = signed::known_digests(app, image, token).await?;
            Ok((intake(body, allowance.bounds, None, digests), size))
        };
        match write_copies(app, order, image, &rest, source, copied).await {
            Ok(written) => {
                locations.extend(written.locations);
                failed = written.failed;
            }
            Err(why) if order.all_must_succeed || locations.is_empty() => {
                remove(app, image.id, &locations).await;
                return Err(why);
            }
            Err(why) => {
                tracing::warn!(image = %image.id, %why, "stores were not reached");
                let names = rest.into_iter().map(|(name, _)| name);
                failed.extend(names.filter(|_| app.stores.are_named()));
            }
        }
    }
    let stores = order.named_stores(app);
    Ok(Imported { locations, failed, stores, data: None, properties: BTreeMap::new() })
}

/// Writes the image's bytes into these stores. On an error nothing is left in any.
async fn write_copies(
    app: &App,
    order: &Order,
    image: &Image,
    targets: &[Target],
    source: impl Future<Output = Result<(Running, u64), Failure>>,
    copied: Copied,
) -> Result<Written, Failure> {
    let (source, size) = source.await?;
    let written = groups::write(app, order, targets, source, Some(size), copied).await?;
    let known = image.hashes.as_ref();
    let same = known.is_none_or(|known| known.value == written.facts.hashes.value);
    if same && written.size == size {
        return Ok(written);
    }
    remove(app, image.id, &written.locations).await;
    Err(Failure::Corrupt)
}

/// The first of the image's locations that can be read.
async fn open_any(app: &App, image: &Image) -> Result<(Body, u64), Failure> {
    let mut last = Failure::NoSource;
    for location in &image.locations {
        let Ok(store) = app.stores.holding(location) else { continue };
        let opened = async {
            let size = match image.size {
                Some(size) => size,
                None => store.size(&location.uri).await?,
            };
            Ok((Body::from_stream(store.open(&location.uri, 0..size).await?), size))
        };
        match opened.await {
            Ok(opened) => return Ok(opened),
            Err(cause) => {
                let name = location.store.clone().unwrap_or_default();
                last = Failure::Store { store: name, cause };
            }
        }
    }
    Err(last)
}
