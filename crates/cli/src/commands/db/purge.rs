//! `tintype db purge` and `tintype db purge-images-table`.

use std::process::ExitCode;

use anyhow::{Context, ensure};
use catalog::sql::What;
use image::Timestamp;

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};
use crate::commands::image::output::print;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Remove what belonged to images that were deleted long ago, and old tasks.
///
/// Rows of deleted images stay in the database, marked; this removes all but the images
/// themselves. What belongs to an image whose deletion is pending stays too.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rows that were deleted longer ago than this go.
    #[arg(long, alias = "age_in_days", value_name = "DAYS", default_value_t = 30)]
    #[arg(allow_negative_numbers = true)]
    age_in_days: i64,

    #[command(flatten)]
    common: Common,
}

/// Remove images that were deleted long ago.
///
/// The id of an image that is gone from this table can be taken by anybody, also where somebody
/// still trusts it (OpenStack Security Note OSSN-0075); run `db purge` first, so that nothing
/// refers to the images any more.
#[derive(clap::Args)]
pub(crate) struct ImagesArgs {
    /// Images that were deleted longer ago than this go.
    #[arg(long, alias = "age_in_days", value_name = "DAYS", default_value_t = 180)]
    #[arg(allow_negative_numbers = true)]
    age_in_days: i64,

    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
struct Common {
    /// Rows that go from each table at most; -1 for all.
    #[arg(long, alias = "max_rows", value_name = "ROWS", default_value_t = 100)]
    #[arg(allow_negative_numbers = true)]
    max_rows: i64,

    #[command(flatten)]
    configured: Configured,
}

pub(crate) fn run(args: &Args) -> Outcome {
    purge(What::Parts, args.age_in_days, &args.common)
}

pub(crate) fn run_images(args: &ImagesArgs) -> Outcome {
    purge(What::Images, args.age_in_days, &args.common)
}

fn purge(what: What, age_in_days: i64, common: &Common) -> Outcome {
    let now = Timestamp::now().as_microsecond();
    let before = oldest(age_in_days, now)?;
    let rows = most(common.max_rows)?;
    let config = common.configured.config()?;
    let purged = block_on(async {
        let catalog = common.configured.catalog(&config).await?;
        let purged = catalog.purge(what, before, rows).await;
        purged.context("rows that stay refer to rows that were to go; run `tintype db purge` first")
    })?;
    for table in purged {
        print(&format!("{}: {} rows removed", table.table, table.rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The time before which what was deleted goes.
fn oldest(age_in_days: i64, now: i64) -> anyhow::Result<Timestamp> {
    ensure!(age_in_days >= 0, "Must supply a non-negative value for age.");
    ensure!(age_in_days < now / DAY, "Maximal age is count of days since epoch.");
    Ok(Timestamp::from_microsecond(now - age_in_days * DAY))
}

fn most(max_rows: i64) -> anyhow::Result<Option<u64>> {
    ensure!(max_rows >= -1, "Minimal rows limit is -1.");
    let largest = i64::from(i32::MAX);
    ensure!(max_rows <= largest, "'max_rows' value out of range, must not exceed {largest}.");
    Ok(u64::try_from(max_rows).ok())
}
