//! `tintype task cancel`.

use std::process::ExitCode;

use client::Tasks;
use serde_json::json;

use super::{Outcome, exit};
use crate::commands::image::output::{print, print_json, tame};

/// End tasks that have not ended. An import that is cancelled leaves its image as it was before.
#[derive(clap::Args)]
#[command(
    before_help = "Example:\n  tintype task cancel 6f1a2c3d-4e5f-4071-8293-a4b5c6d7e8f9",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Ids. One that cannot be cancelled does not keep the others.
    #[arg(required = true, value_name = "TASK")]
    tasks: Vec<String>,

    /// What became of each, as a JSON array: its `id`, and `error` where it is not cancelled.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(tasks: &Tasks, args: &Args) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    let mut ended = Vec::new();
    for id in &args.tasks {
        match tasks.cancel(id).await {
            Ok(()) if args.json => ended.push(json!({ "id": id })),
            Ok(()) => print(&format!("cancelled {}", tame(id)))?,
            Err(error) => {
                ended.push(json!({ "id": id, "error": error.to_string() }));
                crate::report(&anyhow::Error::new(error));
                code = ExitCode::FAILURE;
            }
        }
    }
    if args.json {
        print_json(&ended)?;
    }
    Ok(code)
}
