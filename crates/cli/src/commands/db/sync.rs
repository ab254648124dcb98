//! `tintype db sync`.

use std::process::ExitCode;

use catalog::sql::{Database, Index, Next, REVISION, SqlCatalog};

use crate::commands::configured::{Configured, block_on};
use crate::commands::image::output::print;
use crate::commands::{Outcome, serve};

/// Bring the database to the schema that this version knows: make the tables where there are none.
///
/// A database of an older Glance is left as it is: `glance-manage db sync` of Glance 33 brings it
/// here, and knows how its data moves.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,

    /// Add the indexes besides Glance's with which lists of a million images are as fast as those of
    /// a thousand, and say which they were. Services go on meanwhile, and use them from their next
    /// start; with SQLite, writers wait. Glance is not disturbed by them.
    #[arg(long)]
    extra_indexes: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let database = args.configured.database(&args.configured.config()?)?;
    block_on(async {
        sync(&database).await?;
        if args.extra_indexes { add_indexes(&database).await } else { Ok(()) }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn sync(database: &Database) -> anyhow::Result<()> {
    let found = SqlCatalog::revisions(database).await?;
    if found.next() == Next::Nothing {
        return print("Database is up to date. No migrations needed.");
    }
    anyhow::ensure!(
        found.next() != Next::Later,
        "the database is at revision {}, which is later than {REVISION}, the one that this version \
         knows; it is left untouched",
        found.0.join(", ")
    );
    anyhow::ensure!(
        found.0.is_empty(),
        "the database is at revision {}, and only Glance knows the way from there to {REVISION}; \
         run `glance-manage db sync` of Glance 33",
        found.0.join(", ")
    );
    if let Some(folder) = database.file().and_then(|file| file.parent()) {
        std::fs::create_dir_all(folder)?;
    }
    serve::open_catalog(database).await?;
    print("Database is synced successfully.")
}

async fn add_indexes(database: &Database) -> anyhow::Result<()> {
    let added = serve::open_catalog(database).await?.add_indexes().await?;
    for Index { name, table, purpose, .. } in &added {
        print(&format!("Added {name} to {table}: {purpose}."))?;
    }
    if added.is_empty() {
        print("The extra indexes are there already.")?;
    }
    Ok(())
}
