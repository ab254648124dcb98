//! `tintype image set`.

use std::process::ExitCode;

use client::{Change, Image, Images};

use super::show::print_record;
use super::{Outcome, exit};

/// Change an image's record; prints what it then is.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype image set debian-12 --property os_distro=debian --tag lts --visibility public
  tintype image set debian-11 --deactivate",
    after_help = exit::CODES
)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args([
    "name", "visibility", "property", "unset", "tag", "untag", "min_disk", "min_ram", "protected",
    "hidden", "activate", "deactivate",
])))]
pub(super) struct Args {
    /// Id or name.
    image: String,

    /// A new name.
    #[arg(long)]
    name: Option<String>,

    /// Who may see it: private, shared, community or public.
    #[arg(long)]
    visibility: Option<String>,

    /// A property to set; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    property: Vec<(String, String)>,

    /// A property to remove; may be repeated.
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,

    /// A tag to put on it; may be repeated.
    #[arg(long)]
    tag: Vec<String>,

    /// A tag to take off; may be repeated.
    #[arg(long, value_name = "TAG")]
    untag: Vec<String>,

    /// The smallest disk of an instance, in GiB.
    #[arg(long, value_name = "GIB")]
    min_disk: Option<u32>,

    /// The smallest memory of an instance, in MiB.
    #[arg(long, value_name = "MIB")]
    min_ram: Option<u32>,

    /// Whether deletion is refused.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    protected: Option<bool>,

    /// Whether lists leave it out.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    hidden: Option<bool>,

    /// Allow downloads again.
    #[arg(long, conflicts_with = "deactivate")]
    activate: bool,

    /// Refuse downloads from now on.
    #[arg(long)]
    deactivate: bool,

    /// The record as the service gives it.
    #[arg(long)]
    json: bool,
}

/// `name=value`, for clap.
pub(super) fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is expected".to_owned()),
    }
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    let image = images.find(&args.image).await?;
    apply(images, &image, args).await?;
    print_record(&images.show(&image.id).await?, args.json)?;
    Ok(ExitCode::SUCCESS)
}

async fn apply(images: &Images, image: &Image, args: &Args) -> client::Result<()> {
    let changes = changes(args);
    if !changes.is_empty() {
        images.update(&image.id, &changes).await?;
    }
    for tag in &args.tag {
        images.add_tag(&image.id, tag).await?;
    }
    for tag in &args.untag {
        images.remove_tag(&image.id, tag).await?;
    }
    if args.activate {
        images.reactivate(&image.id).await?;
    }
    if args.deactivate {
        images.deactivate(&image.id).await?;
    }
    Ok(())
}

fn changes(args: &Args) -> Vec<Change> {
    let fields = [
        args.name.as_deref().map(|name| Change::set("name", name)),
        args.visibility.as_deref().map(|who| Change::set("visibility", who)),
        args.min_disk.map(|size| Change::set("min_disk", size)),
        args.min_ram.map(|size| Change::set("min_ram", size)),
        args.protected.map(|is| Change::set("protected", is)),
        args.hidden.map(|is| Change::set("os_hidden", is)),
    ];
    let set = args.property.iter().map(|(name, value)| Change::set(name, value.as_str()));
    let unset = args.unset.iter().map(|name| Change::remove(name));
    fields.into_iter().flatten().chain(set).chain(unset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_split_at_its_first_equals_sign() {
        assert_eq!(name_and_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(name_and_value("a="), Ok(("a".to_owned(), String::new())));
        assert!(name_and_value("=b").is_err() && name_and_value("a").is_err());
    }
}
