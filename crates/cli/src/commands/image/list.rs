//! `tintype image list`.

use std::process::ExitCode;

use client::{Image, Images, ListQuery};

use super::output::{print, print_json, size, tame};
use super::table::{self, Column};
use super::{Outcome, exit};

/// The most that Glance gives at once.
const PAGE: u32 = 1000;

const COLUMNS: [Column; 6] = [
    Column::left("ID"),
    Column::shrinking("NAME"),
    Column::left("STATUS"),
    Column::left("FORMAT"),
    Column::right("SIZE"),
    Column::left("VISIBILITY"),
];

/// List images.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype image list
  tintype image list --visibility public --property os_distro=debian --sort created_at:desc
  tintype image list --limit 5 --json",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Only images of this name.
    #[arg(long)]
    name: Option<String>,

    /// Only images in this state: queued, saving, active, deactivated, …
    #[arg(long)]
    status: Option<String>,

    /// Only images that are private, shared, community or public; or `all` that may be seen.
    #[arg(long)]
    visibility: Option<String>,

    /// Only images of this project.
    #[arg(long, value_name = "PROJECT_ID")]
    owner: Option<String>,

    /// Only images of this disk format.
    #[arg(long, value_name = "FORMAT")]
    disk_format: Option<String>,

    /// Only images with this tag; may be repeated, and all must fit.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Only images with this property; may be repeated, and all must fit.
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::set::name_and_value)]
    property: Vec<(String, String)>,

    /// Images that lists leave out otherwise.
    #[arg(long)]
    hidden: bool,

    /// The order, such as `name:asc,created_at:desc`.
    #[arg(long, value_name = "KEY:DIRECTION", default_value = "name:asc")]
    sort: String,

    /// At most so many images.
    #[arg(long, value_name = "IMAGES")]
    limit: Option<u32>,

    /// The records as the service gives them, as a JSON array.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    let found = collect(images, args).await?;
    if args.json {
        print_json(&found)?;
    } else {
        let rows: Vec<_> = found.iter().map(row).collect();
        print(&table::render(&COLUMNS, &rows, table::terminal_width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn collect(images: &Images, args: &Args) -> client::Result<Vec<Image>> {
    let limit = args.limit.unwrap_or(u32::MAX);
    let mut listing = images.list(&query(args, limit));
    let mut found = Vec::new();
    while found.len() < limit as usize
        && let Some(image) = listing.next().await?
    {
        found.push(image);
    }
    Ok(found)
}

fn query(args: &Args, limit: u32) -> ListQuery {
    let simple = [
        ("name", &args.name),
        ("status", &args.status),
        ("visibility", &args.visibility),
        ("owner", &args.owner),
        ("disk_format", &args.disk_format),
    ];
    let simple = simple.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let tags = args.tag.iter().map(|tag| ("tag", tag.as_str()));
    let properties = args.property.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let hidden = args.hidden.then_some(("os_hidden", "true"));
    let filters = simple.chain(tags).chain(properties).chain(hidden);
    filters
        .fold(ListQuery::default(), |query, (name, value)| query.filter(name, value))
        .sort(&args.sort)
        .page_size(limit.clamp(1, PAGE))
}

fn row(image: &Image) -> [String; 6] {
    let text = |field: &Option<String>| tame(field.as_deref().unwrap_or("-"));
    [
        tame(&image.id),
        text(&image.name),
        tame(&image.status),
        text(&image.disk_format),
        image.size.map_or_else(|| "-".to_owned(), size),
        text(&image.visibility),
    ]
}
