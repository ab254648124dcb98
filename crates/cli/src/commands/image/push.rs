//! `tintype image push`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use client::{Image, Images, NewImage, Source};

use super::show::print_record;
use super::{Outcome, exit};
use crate::commands::progress::Transfer;

/// Register an image and upload its bytes; prints its record.
///
/// When the upload fails or is cancelled, the record that it made is deleted again.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype image push debian-12.qcow2
  tintype image push disk.img --name debian-12 --disk-format raw --visibility public \\
      --property os_distro=debian --property os_version=12 --tag lts",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// The disk image.
    file: PathBuf,

    /// The image's name [default: that of the file, without its extension].
    #[arg(long)]
    name: Option<String>,

    /// What the bytes are: raw, qcow2, vmdk, vhdx, iso, … [default: what the file's name ends in].
    #[arg(long, value_name = "FORMAT")]
    disk_format: Option<String>,

    /// What the disk is wrapped in.
    #[arg(long, value_name = "FORMAT", default_value = "bare")]
    container_format: String,

    /// Who may see it: private, shared, community or public [default: the service's, shared].
    #[arg(long)]
    visibility: Option<String>,

    /// A property; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::set::name_and_value)]
    property: Vec<(String, String)>,

    /// A tag; may be repeated.
    #[arg(long)]
    tag: Vec<String>,

    /// The smallest disk of an instance, in GiB.
    #[arg(long, value_name = "GIB")]
    min_disk: Option<u32>,

    /// The smallest memory of an instance, in MiB.
    #[arg(long, value_name = "MIB")]
    min_ram: Option<u32>,

    /// Refuse deletion.
    #[arg(long)]
    protected: bool,

    /// The image's id [default: the service's choice].
    #[arg(long, value_name = "UUID")]
    id: Option<String>,

    /// The record as the service gives it.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    let source = Source::file(&args.file)?;
    let new = new_image(args)?;
    let Some(created) = exit::or_cancelled(images.create(&new)).await else {
        eprintln!("cancelled; nothing was uploaded");
        return Ok(exit::cancelled());
    };
    let image = created?;
    match exit::or_cancelled(upload(images, &image, source)).await {
        Some(Ok(image)) => {
            print_record(&image, args.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(error)) => {
            withdraw(images, &image, args.protected).await;
            Err(error.into())
        }
        None => {
            eprintln!("cancelled");
            withdraw(images, &image, args.protected).await;
            Ok(exit::cancelled())
        }
    }
}

async fn upload(images: &Images, image: &Image, source: Source) -> client::Result<Image> {
    let (_shown, progress) = Transfer::start("push", image.title(), Some(source.length()));
    images.upload(&image.id, source, &progress).await
}

/// Deletes the record of an image whose bytes did not arrive, unless told to stop again.
async fn withdraw(images: &Images, image: &Image, protected: bool) {
    let delete = async {
        if protected {
            images.update(&image.id, &[client::Change::set("protected", false)]).await?;
        }
        images.delete(&image.id).await
    };
    match exit::or_cancelled(delete).await {
        Some(Ok(())) | Some(Err(client::Error::NoImage(_))) => {
            eprintln!("the image record {} is deleted again", image.id);
        }
        Some(Err(error)) => eprintln!("the image record {} is left behind: {error}", image.id),
        None => eprintln!("the image record {} is left behind", image.id),
    }
}

fn new_image(args: &Args) -> anyhow::Result<NewImage> {
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.file));
    let mut image = NewImage::named(&name)
        .disk_format(&disk_format(args)?)
        .set("container_format", args.container_format.as_str());
    for (name, value) in &args.property {
        image = image.set(name, value.as_str());
    }
    for tag in &args.tag {
        image = image.tag(tag);
    }
    if let Some(visibility) = &args.visibility {
        image = image.set("visibility", visibility.as_str());
    }
    if let Some(id) = &args.id {
        image = image.set("id", id.as_str());
    }
    if let Some(size) = args.min_disk {
        image = image.set("min_disk", size);
    }
    if let Some(size) = args.min_ram {
        image = image.set("min_ram", size);
    }
    if args.protected {
        image = image.set("protected", true);
    }
    Ok(image)
}

fn disk_format(args: &Args) -> anyhow::Result<String> {
    match args.disk_format.clone().or_else(|| format_of(&args.file)) {
        Some(format) => Ok(format),
        None => bail!(
            "the name of {} does not say what its bytes are; say it with --disk-format",
            args.file.display()
        ),
    }
}

/// Endings that mean one format. `.img` is none of them: it may be anything.
fn format_of(file: &Path) -> Option<String> {
    const ENDINGS: &[&str] = &["raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso"];
    let ending = file.extension()?.to_str()?.to_ascii_lowercase();
    ENDINGS.contains(&ending.as_str()).then_some(ending)
}

fn name_of(file: &Path) -> String {
    file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_is_clear_says_the_format() {
        let cases = [
            ("debian-12.qcow2", Some("qcow2")),
            ("dir.raw/INSTALL.ISO", Some("iso")),
            ("debian-12.img", None),
            ("debian-12.5", None),
            ("qcow2", None),
        ];
        for (name, format) in cases {
            assert_eq!(format_of(Path::new(name)).as_deref(), format, "{name}");
        }
    }
}
