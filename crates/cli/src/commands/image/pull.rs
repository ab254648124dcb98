//! `tintype image pull`.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use client::images::{Downloaded, Verified};
use client::{Image, Images};
use serde_json::json;
use signature::Verifier;

use super::output::{print, print_json, size, tame};
use super::{Outcome, exit, signed};
use crate::commands::progress::Transfer;

/// As `--output`.
const STANDARD_OUTPUT: &str = "-";

/// Download an image, verified against the digest of its record.
///
/// The file appears, or is replaced, once it is complete. Until then the bytes are in
/// FILE.ID.part; when a pull breaks off or is cancelled, the next one goes on from there.
#[derive(clap::Args)]
#[command(
    before_help = "\
Examples:
  tintype image pull debian-12
  tintype image pull debian-12 --output /srv/images/debian-12.qcow2
  tintype image pull debian-12 --output - | xz > debian-12.xz
  tintype image pull debian-12 --verify-signature signer.pem --trust root.pem",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Id or name.
    image: String,

    /// The file to write, or `-` for standard output [default: the image's name and disk format,
    /// here].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    signature: signed::Options,

    /// Tell the outcome as JSON, unless the image itself goes to standard output.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(images: &Images, args: &Args) -> Outcome {
    let Some(found) = exit::or_cancelled(images.find(&args.image)).await else {
        return Ok(exit::cancelled());
    };
    let image = found?;
    let output = args.output.clone().unwrap_or_else(|| file_for(&image));
    let verifier = args.signature.verifier(&image)?;
    let signed = verifier.is_some();
    match exit::or_cancelled(download(images, &image, &output, verifier)).await {
        Some(downloaded) => tell(&image, &output, &downloaded?, signed, args.json),
        None => {
            eprintln!("cancelled; the same command goes on from here");
            Ok(exit::cancelled())
        }
    }
}

async fn download(
    images: &Images,
    image: &Image,
    output: &Path,
    verifier: Option<Arc<Verifier>>,
) -> anyhow::Result<Downloaded> {
    let (_shown, progress) = Transfer::start("pull", image.title(), image.size);
    let downloaded = match (special(output)?, verifier) {
        (Some(writer), Some(by)) => images.download_signed_to(image, writer, by, &progress).await?,
        (Some(writer), None) => images.download_to(image, writer, &progress).await?,
        (None, Some(by)) => images.download_signed(image, output, by, &progress).await?,
        (None, None) => images.download(image, output, &progress).await?,
    };
    Ok(downloaded)
}

/// Standard output, or something that is there and no file: a block device, a pipe. These are
/// written as they are, since they can be neither replaced nor gone on with.
fn special(output: &Path) -> anyhow::Result<Option<Box<dyn Write + Send>>> {
    if output == Path::new(STANDARD_OUTPUT) {
        return Ok(Some(Box::new(io::stdout())));
    }
    let exists = output.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if !exists {
        return Ok(None);
    }
    let file = File::options().write(true).open(output);
    let file = file.with_context(|| format!("cannot write {}", output.display()))?;
    Ok(Some(Box::new(Device(file))))
}

/// A special file, whose bytes are on the medium once it is flushed.
struct Device(File);

impl Write for Device {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.sync_all() {
            // A pipe or a terminal has no medium.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }
}

fn tell(
    image: &Image,
    output: &Path,
    downloaded: &Downloaded,
    signed: bool,
    as_json: bool,
) -> Outcome {
    let digest = match &downloaded.verified {
        Verified::Digest(digest) => Some(digest.algorithm.as_str()),
        Verified::Nothing => None,
    };
    let verified = digest.map_or_else(
        || "NOT verified: its record has no digest".to_owned(),
        |algorithm| format!("{algorithm} verified"),
    );
    let signature = if signed { ", signature verified" } else { "" };
    let bytes = size(downloaded.bytes);
    let summary = format!("{}: {bytes}, {verified}{signature}", output.display());
    if output == Path::new(STANDARD_OUTPUT) {
        eprintln!("{summary}");
    } else if as_json {
        print_json(&json!({"id": image.id, "output": output, "bytes": downloaded.bytes,
            "resumed_from": downloaded.resumed_from, "verified": digest,
            "signature": signed.then_some("verified")}))?;
    } else {
        print(&summary)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A name in the working directory, whatever the image is called.
fn file_for(image: &Image) -> PathBuf {
    let title = tame(image.title()).replace('/', "_");
    let format = image.disk_format.as_deref().map(|format| tame(format).replace('/', "_"));
    match format.map(|format| format!(".{format}")) {
        Some(extension) if !title.ends_with(&extension) => format!("{title}{extension}").into(),
        _ if matches!(title.as_str(), "." | ".." | STANDARD_OUTPUT) => image.id.clone().into(),
        _ => title.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stays_in_the_working_directory() {
        for (name, format, expected) in [
            (Some("debian-12"), Some("qcow2"), "debian-12.qcow2"),
            (Some("debian.qcow2"), Some("qcow2"), "debian.qcow2"),
            (Some("../../etc/passwd"), Some("raw"), ".._.._etc_passwd.raw"),
            (Some(".."), None, "i1"),
            (Some("-"), None, "i1"),
            (None, Some("raw"), "i1.raw"),
        ] {
            let record =
                json!({"id": "i1", "status": "active", "name": name, "disk_format": format});
            let image: Image = serde_json::from_value(record).unwrap();
            assert_eq!(file_for(&image), Path::new(expected));
        }
    }
}
