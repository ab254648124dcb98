//! The `tintype` binary: parse the command line, call a library, print what came of it.

mod commands;

use std::process::ExitCode;

use clap::Parser;

/// An OpenStack image system: serve images, and make them.
#[derive(Parser)]
#[command(name = "tintype", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// One line of what went wrong, then those of its causes that it does not name itself.
fn report(error: &anyhow::Error) {
    let mut said = error.to_string();
    eprintln!("tintype: {said}");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            eprintln!("  because: {cause}");
            said = cause;
        }
    }
}
