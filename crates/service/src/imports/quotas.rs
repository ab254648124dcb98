//! What imports take of a project's share, at the moments at which Glance asks.

use catalog::Budget;
use image::{Image, ImageId};

use super::body::Method;
use super::failure::Failure;
use super::order::Order;
use super::worker::Job;
use crate::app::App;
use crate::error::ApiError;
use crate::quota::{self, Allowance, Resource};

const MIB: u64 = 1 << 20;

/// Asks for what Keystone limits, when the image counts as being imported already. Staged bytes
/// have a size that the stores will take; whatever is still to come goes through the staging area.
pub(super) async fn check(
    app: &App,
    job: &Job,
    order: &Order,
    image: &Image,
) -> Result<(), Failure> {
    let size = image.size.unwrap_or(0) / MIB;
    let wanted: &[_] = match order.method {
        Method::GlanceDirect => &[(Resource::SizeTotal, size)],
        _ => &[(Resource::StageTotal, size), (Resource::CountUploading, 0)],
    };
    for (resource, delta) in wanted {
        quota::enforce(app, project(job), *resource, *delta).await.map_err(over)?;
    }
    Ok(())
}

/// What the bytes of an image may take: `most` of them, and what `user_storage_quota` leaves.
pub(super) async fn allowance(
    app: &App,
    job: &Job,
    image: ImageId,
    most: u64,
    length: Option<u64>,
) -> Result<Allowance, Failure> {
    let project = project(job).map(str::to_owned);
    Allowance::for_task(app, project, image, most, length).await.map_err(over)
}

/// What holds once the bytes are there, for others may have used the share meanwhile.
pub(super) fn budget(app: &App, job: &Job) -> Option<Budget> {
    quota::budget(app, project(job))
}

/// Whose share it is: that of whoever asked for the task.
fn project(job: &Job) -> Option<&str> {
    Some(job.task.owner.as_str()).filter(|owner| !owner.is_empty())
}

fn over(error: ApiError) -> Failure {
    Failure::Quota(error.message)
}
