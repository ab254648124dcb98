//! `tintype disk`: disk image files, without root and without mounting anything.

mod convert;
mod create;
mod info;
mod resize;

use clap::{Parser, Subcommand};

use super::Outcome;

/// Look at, create, convert and resize disk images.
///
/// Sizes and options are written as for qemu-img. Files that an image refers to are opened only
/// where a command says so.
///
/// Example: tintype disk info debian-12.qcow2
#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Info(info::Args),
    Create(create::Args),
    Convert(convert::Args),
    Resize(resize::Args),
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Info(args) => info::run(&args),
        Command::Create(args) => create::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Resize(args) => resize::run(&args),
    }
}
