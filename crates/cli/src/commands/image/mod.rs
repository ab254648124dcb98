//! `tintype image`: the images of a cloud, ours or another's.

mod delete;
pub(super) mod exit;
mod list;
pub(super) mod output;
mod pull;
mod push;
mod set;
mod show;
mod signed;
pub(super) mod table;

use client::{Images, Session};

use super::{Outcome, progress};

/// List, show, push, pull, change and delete the images of a cloud.
///
/// The cloud is the one named by --os-cloud or OS_CLOUD in clouds.yaml; else the one that OS_AUTH_URL
/// and the other OS_* variables describe; else the only one in clouds.yaml; else the one that
/// `tintype serve` on this machine has written down.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype image list
  tintype image push debian-12.qcow2
  tintype image pull debian-12 --output debian-12.qcow2",
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
    Push(push::Args),
    Pull(pull::Args),
    Set(set::Args),
    Delete(delete::Args),
}

pub(crate) fn run(args: Args) -> Outcome {
    progress::show_warnings();
    let images = Session::from_env(args.os_cloud.as_deref())?.images();
    client::blocking(args.command.run(&images))?
}

impl Command {
    async fn run(self, images: &Images) -> Outcome {
        match self {
            // These two leave something behind when cancelled, and see to it themselves.
            Self::Push(args) => push::run(images, &args).await,
            Self::Pull(args) => pull::run(images, &args).await,
            Self::List(args) => exit::unless_cancelled(list::run(images, &args)).await,
            Self::Show(args) => exit::unless_cancelled(show::run(images, &args)).await,
            Self::Set(args) => exit::unless_cancelled(set::run(images, &args)).await,
            Self::Delete(args) => exit::unless_cancelled(delete::run(images, &args)).await,
        }
    }
}
