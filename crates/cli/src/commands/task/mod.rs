//! `tintype task`: what a cloud's image service is at work on.

mod cancel;
mod list;
mod show;

use client::{Session, Tasks};

use super::image::exit;
use super::{Outcome, progress};

/// List, show and cancel the tasks of a cloud's image service, such as imports.
///
/// The cloud is chosen as for `tintype image`. Most clouds let only administrators see tasks.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype task list --status processing
  tintype task show 6f1a2c3d-4e5f-4071-8293-a4b5c6d7e8f9
  tintype task cancel 6f1a2c3d-4e5f-4071-8293-a4b5c6d7e8f9",
    after_help = exit::CODES
)]
pub(crate) struct Args {
    /// The cloud, by its name in clouds.yaml.
    #[arg(long, value_name = "NAME", global = true)]
    os_cloud: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Cancel(cancel::Args),
}

pub(crate) fn run(args: Args) -> Outcome {
    progress::show_warnings();
    let tasks = Session::from_env(args.os_cloud.as_deref())?.tasks();
    client::blocking(exit::unless_cancelled(args.command.run(&tasks)))?
}

impl Command {
    async fn run(self, tasks: &Tasks) -> Outcome {
        match self {
            Self::List(args) => list::run(tasks, &args).await,
            Self::Show(args) => show::run(tasks, &args).await,
            Self::Cancel(args) => cancel::run(tasks, &args).await,
        }
    }
}
