//! How much a project may have: `user_storage_quota`, or Keystone's unified limits where
//! `use_keystone_limits` says so. What is used is counted by the catalog.

use std::collections::BTreeMap;

use catalog::{Budget, Stored, Usage};
use identity::Caller;
use image::{Image, ImageId};
use serde::Serialize;

use crate::app::App;
use crate::body::Announced;
use crate::error::{ApiError, Result};
use crate::intake::Bounds;

const MIB: u64 = 1 << 20;

/// What Keystone limits, by the names that Glance registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// MiB in stores.
    SizeTotal,
    /// MiB in staging areas.
    StageTotal,
    /// Images.
    CountTotal,
    /// Images whose bytes are on their way.
    CountUploading,
}

impl Resource {
    const ALL: [Self; 4] =
        [Self::SizeTotal, Self::StageTotal, Self::CountTotal, Self::CountUploading];

    fn name(self) -> &'static str {
        match self {
            Self::SizeTotal => "image_size_total",
            Self::StageTotal => "image_stage_total",
            Self::CountTotal => "image_count_total",
            Self::CountUploading => "image_count_uploading",
        }
    }

    fn used(self, usage: &Usage) -> u64 {
        match self {
            Self::SizeTotal => usage.stored / MIB,
            Self::StageTotal => usage.staged / MIB,
            Self::CountTotal => usage.images,
            Self::CountUploading => usage.uploading,
        }
    }
}

/// Refuses with 413 what would take the caller's project over a limit of Keystone's; `delta` is
/// what is asked for beyond what is used already. Does nothing where Keystone's limits are not
/// used.
pub(crate) async fn enforce(
    app: &App,
    project: Option<&str>,
    resource: Resource,
    delta: u64,
) -> Result<()> {
    let Some(unified) = &app.rules.unified else { return Ok(()) };
    let limits = unified.of(project.unwrap_or_default()).await?;
    let limit = limits.get(resource.name()).copied().unwrap_or(0);
    let Ok(limit) = u64::try_from(limit) else { return Ok(()) };
    let used = resource.used(&app.catalog.usage(project, None).await?);
    if used.saturating_add(delta) <= limit {
        return Ok(());
    }
    Err(ApiError::too_large(format!(
        "The request returned a 413 Request Entity Too Large. This generally means that rate \
         limiting or a quota threshold was breached.\n\nThe response body:\nProject {} is over a \
         limit for [Resource {} is over limit of {limit} due to current usage {used} and delta \
         {delta}]",
        project.unwrap_or_default(),
        resource.name(),
    )))
}

/// What holds for bytes that no project's share is taken from: `most` of them.
pub(crate) fn bounds(app: &App, most: u64) -> Bounds {
    let (idle, must_match) = (app.limits.upload_idle, app.rules.formats.must_match);
    Bounds { size: most, announced: None, quota: None, idle, must_match }
}

/// What an upload may take, and whose share it takes it from.
pub(crate) struct Allowance {
    project: Option<String>,
    pub(crate) bounds: Bounds,
}

impl Allowance {
    /// For an image that gets these bytes. Errors: what is known to be too much is refused before
    /// the first byte.
    pub(crate) async fn for_upload(
        app: &App,
        caller: &Caller,
        image: ImageId,
        announced: Announced,
    ) -> Result<Self> {
        let project = caller.project_id.clone();
        let whole_mib = announced.length.unwrap_or(0) / MIB;
        enforce(app, project.as_deref(), Resource::SizeTotal, whole_mib).await?;
        let most = app.limits.image_size;
        let allowance = Self::for_task(app, project, image, most, announced.length).await?;
        Ok(Self { bounds: announced.bounds(allowance.bounds), ..allowance })
    }

    /// For a task of a project: `most` bytes, where the project's share is not smaller. What
    /// Keystone limits is asked by the task itself.
    pub(crate) async fn for_task(
        app: &App,
        project: Option<String>,
        image: ImageId,
        most: u64,
        length: Option<u64>,
    ) -> Result<Self> {
        let quota = remaining(app, project.as_deref(), Some(image)).await?;
        let bounds = Bounds { quota, ..bounds(app, most) };
        bounds.expect_room(length)?;
        Ok(Self { project, bounds })
    }

    /// Once the image counts as being uploaded itself.
    pub(crate) async fn check_begun(&self, app: &App) -> Result<()> {
        enforce(app, self.project.as_deref(), Resource::CountUploading, 0).await
    }

    /// Makes the image active, unless others were quicker to use what it was allowed.
    pub(crate) async fn activate(
        &self,
        app: &App,
        image: ImageId,
        stored: &Stored,
    ) -> catalog::Result<Image> {
        match budget(app, self.project.as_deref()) {
            None => app.catalog.activate(image, stored).await,
            Some(budget) => app.catalog.activate_within(image, stored, &budget).await,
        }
    }
}

/// What `user_storage_quota` allows a project. `None` where no such quota holds.
pub(crate) fn budget(app: &App, project: Option<&str>) -> Option<Budget> {
    let bytes = app.rules.storage.filter(|_| app.rules.unified.is_none())?;
    Some(Budget { owner: project.map(str::to_owned), bytes })
}

/// Bytes that `user_storage_quota` leaves, below zero where it was lowered; what `except` takes
/// counts as left. `None` where no such quota holds.
pub(crate) async fn remaining(
    app: &App,
    project: Option<&str>,
    except: Option<ImageId>,
) -> Result<Option<i128>> {
    let Some(budget) = budget(app, project) else { return Ok(None) };
    let usage = app.catalog.usage(project, except).await?;
    Ok(Some(i128::from(budget.bytes) - i128::from(usage.stored)))
}

/// What is used of something, and how much there may be.
#[derive(Debug, Serialize)]
pub(crate) struct Share {
    limit: i64,
    usage: u64,
}

/// All that Keystone limits, for one project; nothing where its limits are not used.
pub(crate) async fn shares(
    app: &App,
    project: Option<&str>,
) -> Result<BTreeMap<&'static str, Share>> {
    let Some(unified) = &app.rules.unified else { return Ok(BTreeMap::new()) };
    let limits = unified.of(project.unwrap_or_default()).await?;
    let usage = app.catalog.usage(project, None).await?;
    let share = |resource: Resource| Share {
        limit: limits.get(resource.name()).copied().unwrap_or(0),
        usage: resource.used(&usage),
    };
    Ok(Resource::ALL.into_iter().map(|resource| (resource.name(), share(resource))).collect())
}
