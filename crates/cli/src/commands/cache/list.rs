//! `tintype cache list`.

use std::process::ExitCode;

use client::Images;
use client::images::{CacheState, CachedImage};

use crate::commands::Outcome;
use crate::commands::image::output::{print, print_json, size, tame};
use crate::commands::image::table::{self, Column};

const COLUMNS: [Column; 4] =
    [Column::left("ID"), Column::left("STATE"), Column::right("SIZE"), Column::right("HITS")];

#[derive(clap::Args)]
pub(super) struct Args {
    /// What the service tells, as JSON: `cached_images` and `queued_images`.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    let state = images.cache_state().await?;
    if args.json {
        print_json(&state)?;
    } else {
        print(&table::render(&COLUMNS, &rows(&state), table::terminal_width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(state: &CacheState) -> Vec<[String; 4]> {
    let cached = state.cached_images.iter().map(cached);
    let none = || "-".to_owned();
    let queued = state.queued_images.iter().map(|id| [tame(id), "queued".into(), none(), none()]);
    cached.chain(queued).collect()
}

fn cached(image: &CachedImage) -> [String; 4] {
    [tame(&image.image_id), "cached".into(), size(image.size), image.hits.to_string()]
}
