//! `tintype disk resize`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use disk::{Resize, Shrink};

use crate::commands::Outcome;

/// Make the disk in an image larger, or smaller.
///
/// The partitions and file systems inside stay as they are; an instance grows its root at its
/// first boot.
///
/// Example: tintype disk resize debian-12.qcow2 +8G
#[derive(Parser)]
pub(super) struct Args {
    /// The image.
    file: PathBuf,

    /// The new size, or how much more or less: 10G, +2G, -1G.
    #[arg(allow_hyphen_values = true)]
    size: Resize,

    /// Its format, when it is not to be guessed from its content.
    #[arg(short, long)]
    format: Option<String>,

    /// Allow the end of the disk to be cut off.
    #[arg(long)]
    shrink: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let shrink = if args.shrink { Shrink::Allow } else { Shrink::Refuse };
    let size = disk::resize(&args.file, args.format.as_deref(), args.size, shrink)?;
    eprintln!("{}: the disk has {size} now", args.file.display());
    Ok(ExitCode::SUCCESS)
}
