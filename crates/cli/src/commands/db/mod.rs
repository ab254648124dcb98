//! `tintype db`: the catalog's database, as `glance-manage db` keeps it.

mod check;
mod export_metadefs;
mod load_metadefs;
mod purge;
mod sync;
mod unload_metadefs;
mod version;

use clap::{Parser, Subcommand};

use super::Outcome;

/// Make, look at and tidy up the catalog's database.
///
/// Example: tintype db purge --config-file /etc/glance/glance-api.conf --age-in-days 90
#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Sync(sync::Args),
    Check(check::Args),
    Version(version::Args),
    Purge(purge::Args),
    PurgeImagesTable(purge::ImagesArgs),
    LoadMetadefs(load_metadefs::Args),
    UnloadMetadefs(unload_metadefs::Args),
    ExportMetadefs(export_metadefs::Args),
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Sync(args) => sync::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Version(args) => version::run(&args),
        Command::Purge(args) => purge::run(&args),
        Command::PurgeImagesTable(args) => purge::run_images(&args),
        Command::LoadMetadefs(args) => load_metadefs::run(&args),
        Command::UnloadMetadefs(args) => unload_metadefs::run(&args),
        Command::ExportMetadefs(args) => export_metadefs::run(&args),
    }
}
