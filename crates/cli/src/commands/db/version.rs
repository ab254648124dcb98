//! `tintype db version`.

use std::process::ExitCode;

use catalog::sql::SqlCatalog;

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};
use crate::commands::image::output::print;

/// Print the revision of the database's schema, as Glance names it.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let database = args.configured.database(&args.configured.config()?)?;
    let found = block_on(async { Ok(SqlCatalog::revisions(&database).await?) })?;
    match found.0.is_empty() {
        true => print("There are no tables yet. Run `tintype db sync`.")?,
        false => print(&found.0.join("\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}
