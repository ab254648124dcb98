//! `tintype db unload-metadefs`.

use std::process::ExitCode;

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};

/// Remove all metadata definitions, protected ones too, and the resource types with them.
#[derive(clap::Args)]
#[command(after_help = "\
Example: tintype db unload-metadefs --config-file /etc/glance/glance-api.conf

Exit codes: 0 removed; 1 not removed; 2 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,
}

pub(super) fn run(args: &Args) -> Outcome {
    block_on(async {
        let catalog = args.configured.records(&args.configured.config()?).await?;
        catalog.unload().await?;
        Ok(ExitCode::SUCCESS)
    })
}
