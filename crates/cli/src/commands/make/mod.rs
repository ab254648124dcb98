//! `tintype make`: an image from a recipe.

mod display;
mod findings;
mod terminal;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use line::{
    Converted, Error, Extent, Output, Plan, Pruned, Published, Recipe, StepName, WorkFolder,
};
use serde_json::json;

use super::{Outcome, stop};
use display::Display;

/// Make an image from a recipe: source, prepare, clean, check, boot, convert, publish.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tintype make recipes/debian-12.toml
      make the image; a second run does only what has changed
  tintype make recipes/debian-12.toml --output debian-12.qcow2 --cloud tintype
      put the file there, and publish it to a cloud of clouds.yaml
  tintype make recipes/debian-12.toml --set disk.size=4G --until check
      with another disk, and no further than the offline checks
  tintype make recipes/debian-12.toml --plan
      only tell what is done already and what is to do
  tintype make --prune
      remove what older recipes left in the work folder

Exit codes: 0 made; 1 a step failed; 2 wrong usage, or a fault in the recipe;
3 a program or room is missing, nothing was started; 130 cancelled.")]
pub(crate) struct Args {
    /// The recipe: a TOML file; docs/making-images.md explains it.
    #[arg(required_unless_present = "prune")]
    recipe: Option<PathBuf>,

    /// Tell what is done and what is to do, and do nothing.
    #[arg(long)]
    plan: bool,

    /// Do this step and all after it again.
    #[arg(long, value_name = "STEP")]
    from: Option<StepName>,

    /// Stop after this step.
    #[arg(long, value_name = "STEP")]
    until: Option<StepName>,

    /// Lay a value over the recipe; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Publish to this cloud of clouds.yaml, whatever the recipe says.
    #[arg(long, value_name = "NAME")]
    cloud: Option<String>,

    /// Where to put the finished file; it is also kept in the work folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Where steps keep what they made
    /// [default: $XDG_CACHE_HOME/tintype/line, ~/.cache/tintype/line].
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,

    /// Print JSON: with --plan one object, else an object a line for each event, and the result.
    #[arg(long)]
    json: bool,

    /// Remove every output but the newest of each step of each image; without a recipe nothing
    /// else is done.
    #[arg(long, conflicts_with = "plan")]
    prune: bool,
}

/// Wrong usage, or a fault in the recipe.
const USAGE: u8 = 2;
/// A program or room is missing.
const NOT_READY: u8 = 3;

pub(crate) fn run(args: &Args) -> Outcome {
    match make(args) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let code = error.downcast_ref::<Error>().map_or(1, exit_code);
            crate::report(&error);
            Ok(ExitCode::from(code))
        }
    }
}

fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Recipe(_) | Error::RecipeUnreadable { .. } | Error::NoSuchStep(_) => USAGE,
        Error::ToolsMissing { .. } | Error::NoSpace { .. } | Error::InUse { .. } => NOT_READY,
        error if error.is_cancelled() => stop::CANCELLED,
        _ => 1,
    }
}

fn make(args: &Args) -> anyhow::Result<()> {
    let work_dir = args.work_dir.clone().unwrap_or_else(line::work_dir);
    let Some(path) = &args.recipe else {
        return prune(&WorkFolder::take(&work_dir)?, args.json);
    };
    let mut recipe = Recipe::read(path, &args.set)?;
    if let Some(cloud) = &args.cloud {
        recipe.publish.get_or_insert_default().cloud = Some(cloud.clone());
    }
    let extent = Extent { from: args.from, until: args.until };
    if args.plan {
        return show(&Plan::of(&recipe, WorkFolder::look(&work_dir), extent)?, args.json);
    }
    let plan = Plan::of(&recipe, WorkFolder::take(&work_dir)?, extent)?;
    plan.require()?;
    let mut display = Display::new(args.json);
    let cancel = stop::on_signals()?;
    let outputs = plan.run(&mut |event| display.show(&event), &cancel);
    display.finish();
    deliver(&outputs?, args)?;
    if args.prune { prune(&WorkFolder::take(&work_dir)?, args.json) } else { Ok(()) }
}

fn show(plan: &Plan, json: bool) -> anyhow::Result<()> {
    let needs = plan.needs();
    if json {
        let plan =
            json!({ "steps": plan.steps(), "needs": needs, "work_dir": plan.folder().root() });
        return print(&format!("{plan:#}"));
    }
    for step in plan.steps() {
        let state = match (step.done, step.seconds) {
            (Some(done), Some(seconds)) => {
                format!("done {} in {seconds:.0} s", done.strftime("%Y-%m-%d %H:%M UTC"))
            }
            _ => "to do".to_owned(),
        };
        print(&format!("{:<8} {}  {state:<32} {}", step.step, step.key, step.what))?;
    }
    let needed = line::ByteSize::new(needs.work);
    print(&format!("at most {needed} are needed in {}", plan.folder().root().display()))
}

/// Puts the finished file where it is wanted, and tells the result on standard output.
fn deliver(outputs: &[Output], args: &Args) -> anyhow::Result<()> {
    let converted = outputs.iter().find(|output| output.step == StepName::Convert);
    let converted = converted.and_then(Converted::read);
    let published = outputs.iter().find_map(Published::read);
    let path = match (&converted, &args.output) {
        (Some(converted), Some(wanted)) => {
            copy(&converted.path, wanted)?;
            Some(wanted)
        }
        (Some(converted), None) => Some(&converted.path),
        _ => None,
    };
    if args.json {
        let image = converted.as_ref().zip(path).map(|(image, path)| {
            json!({ "path": path, "format": image.format, "size": image.size,
                "virtual_size": image.virtual_size, "sha512": image.sha512 })
        });
        return print(
            &json!({ "event": "result", "image": image, "published": published }).to_string(),
        );
    }
    path.map_or(Ok(()), |path| print(&path.display().to_string()))
}

/// Under another name first: what is there stays whole until its successor is.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let copied = fs::copy(from, &part)
        .and_then(|_| fs::File::open(&part)?.sync_all())
        .and_then(|()| fs::rename(&part, to));
    if copied.is_err() {
        // Half a file is of no use; the error says why it is half.
        let _ = fs::remove_file(&part);
    }
    copied.with_context(|| format!("{} cannot be written", to.display()))
}

fn prune(folder: &WorkFolder, json: bool) -> anyhow::Result<()> {
    let pruned = folder.prune()?;
    if json {
        let Pruned { outputs, freed } = pruned;
        return print(
            &json!({ "event": "pruned", "outputs": outputs, "freed": freed }).to_string(),
        );
    }
    eprintln!("removed {} old outputs, {} are free again", pruned.outputs, pruned.freed);
    Ok(())
}

/// A line on standard output.
fn print(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{line}").context("standard output cannot be written")
}
