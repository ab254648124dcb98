//! `tintype completions`: a completion script for a shell.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::Outcome;

/// Print a completion script for a shell.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  tintype completions bash > ~/.local/share/bash-completion/completions/tintype"
)]
pub(crate) struct Args {
    /// The shell that will read the script.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Outcome {
    // Into memory first: the generator knows no other end than a panic for a reader that went away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "tintype", &mut script);
    io::stdout().write_all(&script).context("standard output can't be written")?;
    Ok(ExitCode::SUCCESS)
}
