//! `tintype image show`.

use std::process::ExitCode;

use client::{Image, Images};

use super::output::{print, print_json, size, tame};
use super::{Outcome, exit};

/// Show an image's record.
#[derive(clap::Args)]
#[command(
    before_help = "Example:\n  tintype image show debian-12 --json",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Id or name.
    image: String,

    /// The record as the service gives it.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    print_record(&images.find(&args.image).await?, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// A record, for eyes or for programs.
pub(super) fn print_record(image: &Image, json: bool) -> anyhow::Result<()> {
    if json { print_json(image) } else { print(&describe(image)) }
}

/// One line for each thing that is known, properties last.
fn describe(image: &Image) -> String {
    let number = |value: u64, unit: &str| (value > 0).then(|| format!("{value} {unit}"));
    let bytes = |value: u64| format!("{} ({value} bytes)", size(value));
    let digest = image.os_hash_algo.as_ref().zip(image.os_hash_value.as_ref());
    let fields = [
        ("id", Some(image.id.clone())),
        ("name", image.name.clone()),
        ("status", Some(image.status.clone())),
        ("visibility", image.visibility.clone()),
        ("owner", image.owner.clone()),
        ("disk format", image.disk_format.clone()),
        ("container format", image.container_format.clone()),
        ("size", image.size.map(bytes)),
        ("virtual size", image.virtual_size.map(bytes)),
        ("md5", image.checksum.clone()),
        (image.os_hash_algo.as_deref().unwrap_or_default(), digest.map(|(_, value)| value.clone())),
        ("smallest disk", number(image.min_disk, "GiB")),
        ("smallest memory", number(image.min_ram, "MiB")),
        ("protected", image.protected.then(|| "yes".to_owned())),
        ("hidden", image.os_hidden.then(|| "yes".to_owned())),
        ("created", image.created_at.clone()),
        ("updated", image.updated_at.clone()),
        ("tags", (!image.tags.is_empty()).then(|| image.tags.join(", "))),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let properties = image.properties().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let all: Vec<_> = fields.chain(properties).map(|(n, v)| (tame(&n), tame(&v))).collect();
    let width = all.iter().map(|(name, _)| console::measure_text_width(name)).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        format!("{}  {value}", console::pad_str(name, width, console::Alignment::Left, None))
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_is_not_shown_and_properties_come_last() {
        let image: Image = serde_json::from_value(json!({"id": "i1", "name": "a\u{1b}b",
            "status": "active", "size": 2048, "os_hash_algo": "sha512", "os_hash_value": "ab",
            "self": "/v2/images/i1", "os_distro": "debian"}))
        .unwrap();
        let expected = "\
id         i1
name       a\u{FFFD}b
status     active
size       2.00 KiB (2048 bytes)
sha512     ab
os_distro  debian";
        assert_eq!(describe(&image), expected);
    }
}
