//! `tintype scrub`: remove the bytes of images whose deletion was put off.

use std::process::ExitCode;

use anyhow::Context;
use catalog::Catalog;
use image::{Event, ImageId};
use service::Deletion;
use store::Stores;
use tokio::signal::unix::{SignalKind, signal};

use super::configured::{Configured, block_on};
use super::image::output::print;
use super::{Outcome, serve};

/// Remove the data of deleted images whose time has come, as glance-scrubber does.
///
/// With `delayed_delete = true` a deleted image keeps its data for at least `scrub_time` seconds.
/// One run removes what is due. Several runs at once, also on other machines, do no harm, nor does
/// a running service; all need the service's stores.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tintype scrub --config-file /etc/glance/glance-api.conf
      one run, for a timer
  tintype scrub --config-file /etc/glance/glance-api.conf --daemon
      a run every wakeup_time seconds
  tintype scrub --restore 6f1a2c3d-4e5f-4071-8293-a4b5c6d7e8f9
      an image that was deleted by mistake is active again, unless its data has begun to go

Exit codes: 0 done; 1 something could not be removed or restored; 2 wrong usage.")]
pub(crate) struct Args {
    /// Run again and again, every `wakeup_time` seconds, until stopped.
    #[arg(long, short = 'D', conflicts_with = "restore")]
    daemon: bool,

    /// Bring a deleted image back whose data has not begun to go.
    #[arg(long, value_name = "IMAGE_ID")]
    restore: Option<ImageId>,

    #[command(flatten)]
    configured: Configured,
}

pub(crate) fn run(args: &Args) -> Outcome {
    serve::start_log("info", false)?;
    block_on(async {
        let config = args.configured.config()?;
        let catalog = args.configured.records(&config).await?;
        if let Some(image) = args.restore {
            return restore(&*catalog, image).await;
        }
        let rules = Deletion::from_config(&config)?;
        let stores = Stores::from_config(&config, &args.configured.state_dir()?)?;
        if args.daemon {
            return repeat(&*catalog, &stores, &rules).await;
        }
        once(&*catalog, &stores, &rules).await
    })
}

async fn restore(catalog: &dyn Catalog, image: ImageId) -> Outcome {
    let restored = catalog.transition(image, Event::Restore).await;
    restored.with_context(|| format!("image {image} is not restored"))?;
    print(&format!("image {image} is active again"))?;
    Ok(ExitCode::SUCCESS)
}

async fn once(catalog: &dyn Catalog, stores: &Stores, rules: &Deletion) -> Outcome {
    let scrubbed = service::scrub(catalog, stores, rules).await?;
    print(&format!("{} images scrubbed, {} left", scrubbed.images, scrubbed.failed))?;
    Ok(if scrubbed.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn repeat(catalog: &dyn Catalog, stores: &Stores, rules: &Deletion) -> Outcome {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut ticks = tokio::time::interval(rules.every);
    loop {
        tokio::select! {
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
            _ = ticks.tick() => {
                if let Err(error) = once(catalog, stores, rules).await {
                    tracing::error!(%error, "nothing is scrubbed this time");
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
