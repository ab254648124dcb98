//! `tintype db check`.

use std::process::ExitCode;

use catalog::sql::{Next, SqlCatalog};

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};
use crate::commands::image::output::print;

/// Say whether the database is at the schema that this version knows.
///
/// Exit codes, those of `glance-manage db check`: 0 it is; 3 it has to be expanded; 5 it has to be
/// contracted; 1 it is of a later version. (4, for data that has to move, is not needed at this schema.)
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let database = args.configured.database(&args.configured.config()?)?;
    let found = block_on(async { Ok(SqlCatalog::revisions(&database).await?) })?;
    let (said, code) = match (found.next(), found.0.is_empty()) {
        (Next::Nothing, _) => ("Database is up to date. No upgrades needed.", 0),
        (_, true) => ("There are no tables yet. Run `tintype db sync`.", 3),
        (Next::Expand, false) => {
            let said = "Your database is not up to date. Your first step is to run \
                        `glance-manage db expand` of Glance 33 (`glance-manage db sync` on \
                        PostgreSQL).";
            (said, 3)
        }
        (Next::Later, false) => {
            let said = "Your database is newer than this version, which leaves it untouched. Use \
                        the version of tintype that knows it.";
            (said, 1)
        }
        (Next::Contract, false) => {
            let said = "Your database is not up to date. Your next step is to run \
                        `glance-manage db contract` of Glance 33 (`glance-manage db sync` on \
                        PostgreSQL).";
            (said, 5)
        }
    };
    print(said)?;
    Ok(ExitCode::from(code))
}
