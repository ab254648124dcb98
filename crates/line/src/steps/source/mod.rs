//! `source`: a disk with a system on it.

mod disk_file;
mod packages;

use super::Step;
use crate::recipe::{Recipe, Source};

/// The step for what the recipe has as its source.
pub(super) fn step(recipe: &Recipe) -> Box<dyn Step> {
    let size = recipe.disk.size;
    match &recipe.source {
        Source::Packages(source) => Box::new(packages::Packages::new(source.clone(), size)),
        Source::Disk(source) => Box::new(disk_file::DiskImage::new(source.clone(), size)),
    }
}
