//! `tintype disk convert`

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use disk::{Compression, Error, Options, References};

use crate::commands::Outcome;
use crate::commands::progress::Transfer;
use crate::commands::stop::{self, CANCELLED};

/// Write the disk in an image into a new image.
///
/// Zeros are left out. The new image appears under its name once it is whole and on the disk;
/// Ctrl-C leaves what was there.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  tintype disk convert -O qcow2 -c disk.raw disk.qcow2
  tintype disk convert -O raw disk.qcow2 disk.raw
  tintype disk convert -O qcow2 --follow-backing overlay.qcow2 whole.qcow2

Exit codes: 0 done; 1 failed; 2 wrong usage; 130 cancelled.")]
pub(super) struct Args {
    /// The image to read.
    source: PathBuf,

    /// The image to write; a file that is there is replaced.
    target: PathBuf,

    /// The format to read, when it is not to be guessed from the content.
    #[arg(short, long)]
    format: Option<String>,

    /// The format to write: raw or qcow2.
    #[arg(short = 'O', long)]
    output_format: String,

    /// Compress each cluster (qcow2).
    #[arg(short, long)]
    compress: bool,

    /// Options of the format: cluster_size, compat, preallocation.
    #[arg(short = 'o', value_name = "OPTIONS")]
    options: Vec<String>,

    /// Read the backing files that the source names. Only for images of your own: an image can name
    /// any file that you may read.
    #[arg(long)]
    follow_backing: bool,

    /// Show how far it is.
    #[arg(short, long)]
    progress: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let references = if args.follow_backing { References::Follow } else { References::Refuse };
    let compression = if args.compress { Compression::Deflate } else { Compression::None };
    let options = Options { compression, ..options(&args.options)? };
    let source = disk::open(&args.source, args.format.as_deref(), references)?;
    let cancel = stop::on_signals()?;
    let shown = args.progress.then(|| {
        Transfer::start("convert", &args.source.display().to_string(), Some(source.size()))
    });
    let mut watch = |done, _| {
        if let Some((_, progress)) = &shown {
            progress.at(done);
        }
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let (target, format) = (&args.target, &args.output_format);
    match disk::convert(source.as_ref(), target, format, &options, &mut watch) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Error::Cancelled) => Ok(ExitCode::from(CANCELLED)),
        Err(why) => Err(why.into()),
    }
}

/// All `-o` of a command line.
pub(super) fn options(texts: &[String]) -> disk::Result<Options> {
    let mut options = Options::default();
    texts.iter().try_for_each(|text| options.set(text))?;
    Ok(options)
}
