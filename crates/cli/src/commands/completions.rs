//! `tintype completions`: a completion script for a shell.

use std::io;
use std::process::ExitCode;

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
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "tintype", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
