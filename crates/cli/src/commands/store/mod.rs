//! `tintype store`: the stores that a configuration enables.

mod check;

use clap::{Parser, Subcommand};

use super::Outcome;

/// Look after the stores of image data.
///
/// Example: tintype store check --config-file /etc/glance/glance-api.conf
#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Check(args) => check::run(&args),
    }
}
