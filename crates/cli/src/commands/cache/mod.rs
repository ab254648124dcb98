//! `tintype cache`: the image cache of a service, ours or another's.

mod list;

use std::process::ExitCode;

use client::images::CacheTarget;
use client::{Images, Session};
use serde_json::json;

use super::image::exit;
use super::image::output::{print, print_json, size, tame};
use super::{Outcome, progress};

/// Work the image cache of a service: takes an administrator.
///
/// The cloud is found as `tintype image` finds it. The cache is that of the node which answers.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype cache list
  tintype cache queue debian-12 debian-13
  tintype cache clear --only queue",
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
    /// List what is in the cache, and what waits to be fetched.
    List(list::Args),
    /// Have images fetched into the cache before somebody asks for them.
    Queue(Named),
    /// Remove images from the cache and its queue.
    Delete(Named),
    /// Empty the cache and its queue.
    Clear(Clear),
    /// Remove the least recently read images until the cache is within its limit.
    Prune(Prune),
    /// Remove invalid files, and incomplete ones that have stalled.
    Clean(Clean),
}

#[derive(clap::Args)]
struct Named {
    /// Ids or names. One that fails does not keep the others.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,

    /// What became of each, as a JSON array: its `image` as it was named, and its `id`, or `error`
    /// where it failed.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Clear {
    /// Only this half.
    #[arg(long, value_enum)]
    only: Option<Half>,

    /// What was emptied, as JSON: `cleared`, an array.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Half {
    /// The images that are cached.
    Cache,
    /// The images that wait.
    Queue,
}

#[derive(clap::Args)]
struct Prune {
    /// What was removed, as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Clean {
    /// An empty JSON object: services do not tell what they removed.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Outcome {
    progress::show_warnings();
    let images = Session::from_env(args.os_cloud.as_deref())?.images();
    client::blocking(exit::unless_cancelled(args.command.run(&images)))?
}

impl Command {
    async fn run(self, images: &Images) -> Outcome {
        match self {
            Self::List(args) => list::run(images, &args).await,
            Self::Queue(named) => each(&named, async |name| queue(images, name).await).await,
            Self::Delete(named) => each(&named, async |name| delete(images, name).await).await,
            Self::Clear(args) => clear(images, &args).await,
            Self::Prune(args) => prune(images, &args).await,
            Self::Clean(args) => clean(images, &args).await,
        }
    }
}

impl From<Half> for CacheTarget {
    fn from(half: Half) -> Self {
        match half {
            Half::Cache => Self::Cache,
            Half::Queue => Self::Queue,
        }
    }
}

/// What was done to an image.
struct Done {
    id: String,
    said: String,
}

/// Does the same to each image; fails in the end if one has failed.
async fn each(named: &Named, action: impl AsyncFn(&str) -> client::Result<Done>) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    let mut ended = Vec::new();
    for name in &named.images {
        match action(name).await {
            Ok(Done { id, .. }) if named.json => ended.push(json!({ "image": name, "id": id })),
            Ok(Done { said, .. }) => print(&said)?,
            Err(error) => {
                ended.push(json!({ "image": name, "error": error.to_string() }));
                crate::report(&anyhow::Error::new(error));
                code = ExitCode::FAILURE;
            }
        }
    }
    if named.json {
        print_json(&ended)?;
    }
    Ok(code)
}

async fn queue(images: &Images, name: &str) -> client::Result<Done> {
    let image = images.find(name).await?;
    images.cache_queue(&image.id).await?;
    let said = format!("queued {} ({})", tame(image.title()), tame(&image.id));
    Ok(Done { id: image.id, said })
}

/// An image that is gone may still be in the cache, by its id.
async fn delete(images: &Images, name: &str) -> client::Result<Done> {
    let id = match images.find(name).await {
        Ok(image) => image.id,
        Err(client::Error::NoImage(_)) => name.to_owned(),
        Err(error) => return Err(error),
    };
    images.cache_delete(&id).await?;
    Ok(Done { id, said: format!("removed {} from the cache", tame(name)) })
}

async fn clear(images: &Images, args: &Clear) -> Outcome {
    let target = args.only.map(CacheTarget::from);
    images.cache_clear(target).await?;
    if args.json {
        let all = [CacheTarget::Cache, CacheTarget::Queue];
        let cleared = all.into_iter().filter(|half| target.is_none_or(|only| only == *half));
        let cleared: Vec<_> = cleared.map(|half| half.to_string()).collect();
        print_json(&json!({ "cleared": cleared }))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn prune(images: &Images, args: &Prune) -> Outcome {
    let pruned = images.cache_prune().await?;
    if args.json {
        print_json(&pruned)?;
    } else {
        let room = size(pruned.total_bytes_pruned);
        print(&format!("removed {} images, {room}", pruned.total_files_pruned))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn clean(images: &Images, args: &Clean) -> Outcome {
    images.cache_clean().await?;
    if args.json {
        print_json(&json!({}))?;
    }
    Ok(ExitCode::SUCCESS)
}
