//! `tintype db version`.

use std::process::ExitCode;

use catalog::sql::SqlCatalog;

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};

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
        true => println!("There are no tables yet. Run `tintype db sync`."),
        false => found.0.iter().for_each(|revision| println!("{revision}")),
    }
    Ok(ExitCode::SUCCESS)
}
