//! `tintype task list`.

use std::process::ExitCode;

use client::{Task, Tasks};

use super::{Outcome, exit};
use crate::commands::image::output::{print, print_json, tame};
use crate::commands::image::table::{self, Column};

const COLUMNS: [Column; 5] = [
    Column::left("ID"),
    Column::left("TYPE"),
    Column::left("STATUS"),
    Column::shrinking("CREATED"),
    Column::shrinking("UPDATED"),
];

/// List tasks, the newest first.
#[derive(clap::Args)]
#[command(
    before_help = "Example:\n  tintype task list --status processing --json",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Only tasks in this state: pending, processing, success or failure.
    #[arg(long)]
    status: Option<String>,

    /// Only tasks about this image.
    #[arg(long, value_name = "IMAGE_ID")]
    image: Option<String>,

    /// At most so many tasks.
    #[arg(long, value_name = "TASKS")]
    limit: Option<usize>,

    /// The tasks as the service gives them, as a JSON array.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(tasks: &Tasks, args: &Args) -> Outcome {
    let filters = [("status", args.status.as_deref()), ("image_id", args.image.as_deref())];
    let filters: Vec<_> =
        filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let found = tasks.list(&filters, args.limit.unwrap_or(usize::MAX)).await?;
    if args.json {
        print_json(&found)?;
    } else {
        let rows: Vec<_> = found.iter().map(row).collect();
        print(&table::render(&COLUMNS, &rows, table::terminal_width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(task: &Task) -> [String; 5] {
    let text = |field: &Option<String>| tame(field.as_deref().unwrap_or("-"));
    [
        tame(&task.id),
        tame(&task.kind),
        tame(&task.status),
        text(&task.created_at),
        text(&task.updated_at),
    ]
}
