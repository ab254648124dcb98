//! `tintype task cancel`.

use std::process::ExitCode;

use client::Tasks;

use super::{Outcome, exit};
use crate::commands::image::output::{print, tame};

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
}

pub(super) async fn run(tasks: &Tasks, args: &Args) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    for id in &args.tasks {
        match tasks.cancel(id).await {
            Ok(()) => print(&format!("cancelled {}", tame(id)))?,
            Err(error) => {
                crate::report(&anyhow::Error::new(error));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
