//! `tintype appliance`: the micro-VM that edits disks, prepared and looked at.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};
use machine::accelerator::{self, Choice};
use machine::kernel::{From, Kernel, setup};
use machine::qemu::Program;
use serde_json::json;

use super::{Outcome, stop};

/// Prepare and inspect the appliance, the micro-VM that edits disks without privileges.
///
/// Example: tintype appliance setup
#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(Setup),
    Probe(Probe),
}

/// Prepare a kernel for the appliance, once for each user.
///
/// It is one of the host's own kernels, or the newest that the machine's apt offers: downloaded
/// and unpacked into the cache, not installed. No privileges are needed.
///
/// Example: tintype appliance setup
#[derive(Parser)]
struct Setup {
    /// Take this kernel, vmlinuz or vmlinux
    #[arg(long, value_name = "FILE", requires = "modules")]
    kernel: Option<PathBuf>,
    /// The kernel's module folder, as /lib/modules/6.1.0
    #[arg(long, value_name = "FOLDER", requires = "kernel")]
    modules: Option<PathBuf>,
    /// Take the newest kernel of the package archive, even when the host has one
    #[arg(long, conflicts_with = "kernel")]
    newest: bool,
    /// Prepare it anew even when there is one
    #[arg(long)]
    again: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Find out what runs virtual machines here, and why.
///
/// A guest is really started under KVM, for at most three seconds. The answer is remembered until
/// the host reboots; TINTYPE_ACCEL=kvm or TINTYPE_ACCEL=tcg overrides it.
///
/// Example: tintype appliance probe --again
#[derive(Parser)]
struct Probe {
    /// Forget the answer that is remembered
    #[arg(long)]
    again: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let done = match &args.command {
        Command::Setup(args) => prepare(args),
        Command::Probe(args) => probe(args),
    };
    match done {
        Err(why) if matches!(why.downcast_ref(), Some(machine::Error::Cancelled)) => {
            crate::report(&why);
            Ok(ExitCode::from(stop::CANCELLED))
        }
        done => done,
    }
}

fn prepare(args: &Setup) -> Outcome {
    let asked = args.again || args.newest || args.kernel.is_some();
    let kernel = match Kernel::prepared() {
        Ok(kernel) if !asked => kernel,
        _ => setup(source(args), &mut |step| eprintln!("{step}"), &stop::on_signals()?)?,
    };
    if args.json {
        print(&describe(&kernel))?;
    } else {
        let line = format!(
            "kernel {} ({}), {} MiB in {}",
            kernel.version(),
            kernel.origin(),
            kernel.size() >> 20,
            kernel.folder().display()
        );
        print(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn source(args: &Setup) -> From {
    match (&args.kernel, &args.modules) {
        (Some(image), Some(modules)) => {
            From::Files { image: image.clone(), modules: modules.clone() }
        }
        _ if args.newest => From::Archive,
        _ => From::Anywhere,
    }
}

fn probe(args: &Probe) -> Outcome {
    if args.again {
        accelerator::forget();
    }
    let kernel = match Kernel::prepared() {
        Ok(kernel) => Some(kernel),
        Err(machine::Error::KernelNotPrepared) => None,
        Err(why) => bail!(why),
    };
    let choice = accelerator::choose(kernel.as_ref(), &stop::on_signals()?)?;
    let qemu = &Program::find()?.version;
    if args.json {
        print(&json!({
            "accelerator": choice.accelerator,
            "reason": choice.reason,
            "remembered": choice.remembered,
            "qemu": qemu,
            "kernel": kernel.as_ref().map(describe),
        }))?;
    } else {
        print(&plain(&choice, qemu, kernel.as_ref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(choice: &Choice, qemu: &str, kernel: Option<&Kernel>) -> String {
    let remembered = if choice.remembered { " (remembered)" } else { "" };
    let kernel = match kernel {
        Some(kernel) => format!("{} ({})", kernel.version(), kernel.origin()),
        None => "none yet: run `tintype appliance setup`".to_owned(),
    };
    format!(
        "accelerator  {}{remembered}\nbecause      {}\nqemu         {qemu}\nkernel       {kernel}",
        choice.accelerator, choice.reason
    )
}

fn describe(kernel: &Kernel) -> serde_json::Value {
    json!({
        "version": kernel.version(),
        "origin": kernel.origin(),
        "made": kernel.made(),
        "size": kernel.size(),
        "folder": kernel.folder(),
    })
}

/// Results go to standard output; a reader that went away is not an error worth a panic.
fn print(what: &impl std::fmt::Display) -> anyhow::Result<()> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{what}")?)
}
