//! One import, from its first byte to the end of its task.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use catalog::{Imported, ImportedData, Viewer};
use futures::{FutureExt, StreamExt};
use image::{ContainerFormat, DiskFormat, Image, TaskType};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::body::Method;
use super::order::Order;
use super::plugins::{self, PluginError, Staged};
use super::pulse::{Copied, Pulse};
use super::source::{self, Opened, Unreachable};
use super::spread::{Rule, Spread, Target, spread};
use super::worker::Job;
use super::{inject, legacy};
use crate::app::App;
use crate::digest::Digests;
use crate::intake::{Facts, Intake, Refused};
use crate::{quota, upload};

/// Why an import ends without its image. The text is the task's message.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("Cancelled.")]
    Cancelled,
    /// Somebody else works on the task now: nothing is ours to put in order.
    #[error("the task was taken over")]
    Lost,
    #[error("The task asks for nothing that this service can do.")]
    Unreadable,
    #[error("The work on the image failed in a way that nobody foresaw.")]
    Panicked,
    #[error("Image data is not found in the staging area of this service.")]
    NotStaged,
    #[error("Image data is not found in any store.")]
    NoSource,
    #[error("The download failed: {0}.")]
    Download(#[from] fetch::Error),
    #[error("The other region's image can't be had: {0}.")]
    Unreachable(#[from] Unreachable),
    #[error("The data ended early: {0}.")]
    Early(String),
    #[error("Image data was refused: {0}.")]
    Data(String),
    #[error("The plugin {name} failed: {cause}.")]
    Plugin {
        name: &'static str,
        #[source]
        cause: PluginError,
    },
    #[error("The image's bytes in its store are not those that were stored.")]
    Corrupt,
    #[error("The store {store} failed: {cause}.")]
    Store {
        store: String,
        #[source]
        cause: store::Error,
    },
    #[error("{0}.")]
    UnknownStore(#[from] store::UnknownStore),
    #[error("The catalog failed: {0}.")]
    Catalog(#[source] catalog::Error),
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Self {
        match error {
            catalog::Error::LeaseLost(_) => Self::Lost,
            other => Self::Catalog(other),
        }
    }
}

/// Runs a job to the end of its task.
pub(super) async fn run(app: Arc<App>, job: Job, permits: Arc<Semaphore>) {
    let nudged = job.enlisted.nudged.clone();
    let mut pulse = Pulse::new(app.imports.tasks.clone(), job.lease, nudged);
    let task = pulse.task();
    let ended = match job.task.kind {
        TaskType::ApiImageImport => import(&app, &job, &mut pulse, &permits).await,
        _ => legacy::run(&app, &job, &mut pulse, &permits).await,
    };
    match ended {
        Ok(()) => tracing::info!(%task, "task done"),
        Err(Failure::Lost) => tracing::warn!(%task, "another service has taken the task over"),
        Err(why) => tracing::warn!(%task, %why, "task failed"),
    }
}

async fn import(
    app: &App,
    job: &Job,
    pulse: &mut Pulse,
    permits: &Semaphore,
) -> Result<(), Failure> {
    let Some(order) = Order::of(&job.task) else {
        let ending = catalog::Ending::Failure(Failure::Unreadable.to_string());
        app.imports.tasks.end_task(pulse.lease(), &ending, app.imports.settings.keep).await?;
        return Err(Failure::Unreadable);
    };
    let brought = attempt(app, job, &order, pulse, permits).await;
    let ended = match brought {
        Ok(imported) => keep(app, &order, pulse, imported).await,
        Err(why) => Err(why),
    };
    match ended {
        Err(Failure::Lost) => Err(Failure::Lost),
        Err(why) => {
            let lease = pulse.lease();
            let (id, keep) = (order.image, app.imports.settings.keep);
            let records = &app.imports.records;
            records.abandon_import(lease, id, &order.stores, &why.to_string(), keep).await?;
            unstage(app, &order).await;
            Err(why)
        }
        Ok(()) => {
            unstage(app, &order).await;
            Ok(())
        }
    }
}

/// Copies use no staging; what an owner stages meanwhile is not theirs.
async fn unstage(app: &App, order: &Order) {
    if order.method != Method::CopyImage {
        super::staging::unstage(&app.imports, order.image).await;
    }
}

/// Waits for its turn and brings the bytes, while the task is given signs of life. On an error
/// nothing is left in the stores.
async fn attempt(
    app: &App,
    job: &Job,
    order: &Order,
    pulse: &mut Pulse,
    permits: &Semaphore,
) -> Result<Imported, Failure> {
    let _permit = pulse.during(permits.acquire()).await?;
    if !job.is_recovered {
        pulse.begin().await?;
    }
    // What parses hostile bytes may fail in ways that nobody foresaw. The image must not stay
    // `importing` for that.
    let copied = pulse.copied.clone();
    let work = AssertUnwindSafe(bring(app, job, order, copied)).catch_unwind();
    pulse.during(work).await?.unwrap_or(Err(Failure::Panicked))
}

/// Gives the image what was brought. Bytes that it can't take are removed.
async fn keep(app: &App, order: &Order, pulse: &Pulse, imported: Imported) -> Result<(), Failure> {
    let keep = app.imports.settings.keep;
    let records = &app.imports.records;
    let error = match records.finish_import(pulse.lease(), order.image, &imported, keep).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    // The database may have done it and not have said so: whoever takes the task over looks.
    let known = matches!(
        error,
        catalog::Error::NotFound(_)
            | catalog::Error::Conflict { .. }
            | catalog::Error::ImportLocked { .. }
    );
    if known {
        for location in &imported.locations {
            let removed = match app.stores.holding(location) {
                Ok(store) => store.delete(&location.uri).await,
                Err(_) => continue,
            };
            if let Err(error) = removed {
                tracing::error!(image = %order.image, %error, "image data stays behind");
            }
        }
        return Err(error.into());
    }
    tracing::error!(image = %order.image, %error, "an import ends with its recovery");
    Err(Failure::Lost)
}

async fn bring(app: &App, job: &Job, order: &Order, copied: Copied) -> Result<Imported, Failure> {
    let mut image = app.catalog.get(&Viewer::service(), order.image).await?;
    app.stores.settle(&mut image.locations);
    let targets = targets(app, order)?;
    if job.is_recovered {
        super::recovery::clear(app, &image, &targets, order).await;
    }
    match order.method {
        Method::CopyImage => copy(app, order, &image, &targets, copied).await,
        _ => fill(app, job, order, &image, &targets, copied).await,
    }
}

fn targets(app: &App, order: &Order) -> Result<Vec<Target>, Failure> {
    let named = |name: &String| {
        let (name, store) = app.stores.get(Some(name))?;
        Ok((name.to_owned(), store.clone()))
    };
    order.stores.iter().map(named).collect()
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
    let inspector = upload::inspector(Some(disk), Some(container));
    let most = app.limits.image_size;
    let algorithm = &app.limits.hash_algorithm;
    let intake = intake(app, opened.body, most, inspector, algorithm)?;
    let written = pipe(app, order, targets, intake, opened.length, copied).await?;
    Ok(Imported {
        locations: written.locations,
        failed: written.failed,
        data: Some(ImportedData {
            size: written.size,
            virtual_size: written.facts.virtual_size,
            hashes: written.facts.hashes,
            formats: Some((disk, container)),
        }),
        properties,
    })
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
    let bounds =
        plugins::Bounds { size: app.limits.image_size, format: imports.settings.output_format };
    for plugin in plugins {
        let work = tokio::task::spawn_blocking(move || plugin.change(staged, bounds)).await;
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
    order: &Order,
    image: &Image,
    targets: &[Target],
    copied: Copied,
) -> Result<Imported, Failure> {
    let (body, size) = open_any(app, image).await?;
    let known = image.hashes.as_ref();
    let algorithm = known.map_or(&app.limits.hash_algorithm, |hashes| &hashes.algorithm);
    let intake = intake(app, body, u64::MAX, None, algorithm)?;
    let written = pipe(app, order, targets, intake, Some(size), copied).await?;
    let same = known.is_none_or(|known| known.value == written.facts.hashes.value);
    if !same || written.size != size {
        remove(targets, &written.locations).await;
        return Err(Failure::Corrupt);
    }
    let Written { locations, failed, .. } = written;
    Ok(Imported { locations, failed, data: None, properties: BTreeMap::new() })
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

/// A source that is digested and inspected as it passes.
type Running = (store::Source, tokio::sync::oneshot::Receiver<Facts>);

fn intake(
    app: &App,
    body: Body,
    most: u64,
    inspector: Option<disk::Inspector>,
    algorithm: &str,
) -> Result<Running, Failure> {
    let bounds = quota::bounds(app, most);
    let digests = Digests::start(algorithm).map_err(|error| Failure::Data(error.to_string()))?;
    Ok(Intake::start(body, bounds, inspector, digests))
}

struct Written {
    locations: Vec<image::Location>,
    failed: Vec<String>,
    size: u64,
    facts: Facts,
}

/// The straight way of the bytes, into every store at once. On an error nothing is left in any.
async fn pipe(
    app: &App,
    order: &Order,
    targets: &[Target],
    (source, facts): Running,
    length: Option<u64>,
    copied: Copied,
) -> Result<Written, Failure> {
    let counted = source
        .inspect(move |piece| {
            if let Ok(piece) = piece {
                copied.add(piece.len());
            }
        })
        .boxed();
    let rule = if order.all_must_succeed { Rule::AllOrNone } else { Rule::AsManyAsCan };
    let spread = spread(order.image, length, counted, targets, rule).await.map_err(ended_early)?;
    let Spread { written, mut failed } = spread;
    let locations: Vec<_> = written
        .iter()
        .map(|(name, written)| app.stores.location(name, written.uri.clone()))
        .collect();
    if !failed.is_empty() && (order.all_must_succeed || written.is_empty()) {
        remove(targets, &locations).await;
        let (store, cause) = failed.swap_remove(0);
        return Err(Failure::Store { store, cause });
    }
    let facts = match facts.await {
        Ok(facts) => facts,
        Err(_) => {
            remove(targets, &locations).await;
            return Err(Failure::Panicked);
        }
    };
    for (store, error) in &failed {
        tracing::warn!(image = %order.image, store, %error, "a store was not reached");
    }
    Ok(Written {
        locations,
        failed: failed.into_iter().map(|(name, _)| name).collect(),
        size: written.first().map_or(0, |(_, written)| written.size),
        facts,
    })
}

pub(super) fn ended_early(why: store::SourceError) -> Failure {
    match why.downcast::<Refused>() {
        Ok(why) => match *why {
            Refused::Gone(error) => Failure::Early(error.to_string()),
            other => Failure::Data(other.to_string()),
        },
        Err(why) => Failure::Early(why.to_string()),
    }
}

async fn remove(targets: &[Target], locations: &[image::Location]) {
    for location in locations {
        for (_, store) in targets.iter().filter(|(_, store)| store.holds(&location.uri)) {
            if let Err(error) = store.delete(&location.uri).await {
                tracing::error!(%error, "image data stays behind");
            }
        }
    }
}
