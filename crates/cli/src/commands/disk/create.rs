//! `tintype disk create`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use disk::{Backing, ByteSize, Options};

use crate::commands::Outcome;

/// Create an empty image, or one on top of a backing file.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  tintype disk create -f qcow2 disk.qcow2 10G
  tintype disk create -f qcow2 -o cluster_size=2M,compat=1.1 disk.qcow2 1T
  tintype disk create -f qcow2 -b base.qcow2 -F qcow2 overlay.qcow2")]
pub(super) struct Args {
    /// The image to create; a file that is there is replaced.
    file: PathBuf,

    /// The size of the disk: 10G, 512M; that of the backing file when not said.
    #[arg(required_unless_present = "backing_file")]
    size: Option<ByteSize>,

    /// The format of the image: raw or qcow2.
    #[arg(short, long, default_value = "raw")]
    format: String,

    /// Options of the format: cluster_size, compat, preallocation.
    #[arg(short = 'o', value_name = "OPTIONS")]
    options: Vec<String>,

    /// What is read where the image holds nothing.
    #[arg(short, long, value_name = "FILE", requires = "backing_format")]
    backing_file: Option<PathBuf>,

    /// The format of the backing file.
    #[arg(short = 'F', long, value_name = "FORMAT")]
    backing_format: Option<String>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let backing = args.backing_file.clone().zip(args.backing_format.clone());
    let backing = backing.map(|(file, format)| Backing { file, format });
    let options = Options { backing, ..super::convert::options(&args.options)? };
    disk::create(&args.file, &args.format, args.size, &options)?;
    Ok(ExitCode::SUCCESS)
}
