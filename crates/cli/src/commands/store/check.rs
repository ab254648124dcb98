//! `tintype store check`: whether each store does what it is for.

use std::process::ExitCode;

use serde_json::{Map, Value, json};
use store::{Checked, Enabled, Stores};

use crate::commands::Outcome;
use crate::commands::configured::{Configured, block_on};
use crate::commands::image::output::{print, print_json, tame};

/// Reach each store, and write, read and delete a probe of 55 KiB in those that take images.
///
/// The probe is an image's data under a new id; nothing else in the store is touched.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tintype store check --config-file /etc/glance/glance-api.conf
      every store, one line each
  tintype store check --config-file /etc/glance/glance-api.conf fast --json
      the store 'fast', for a program

Exit codes: 0 every store does; 1 one does not; 2 wrong usage.")]
pub(crate) struct Args {
    /// Only these stores.
    #[arg(value_name = "STORE")]
    stores: Vec<String>,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    configured: Configured,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let config = args.configured.config()?;
    let stores = Stores::from_config(&config, &args.configured.state_dir()?)?;
    for name in &args.stores {
        stores.get(Some(name))?;
    }
    let wanted = |store: &&Enabled| args.stores.is_empty() || args.stores.contains(&store.name);
    let wanted: Vec<_> = stores.enabled().iter().filter(wanted).collect();
    let mut all_do = true;
    let mut told = Vec::new();
    block_on(async {
        for store in wanted {
            let checked = store::check(store.store.as_ref()).await;
            store.store.settled().await;
            all_do &= checked.failed.is_none();
            match args.json {
                true => told.push(as_json(store, &checked)),
                false => print(&line(store, &checked))?,
            }
        }
        Ok(())
    })?;
    if args.json {
        print_json(&json!({ "stores": told }))?;
    }
    Ok(if all_do { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(store: &Enabled, checked: &Checked) -> String {
    let done = checked.done.iter().map(|(step, took)| format!("{step} {} ms", took.as_millis()));
    let failed = checked
        .failed
        .as_ref()
        .map(|(step, why)| format!("{step} FAILED: {}", tame(&why.to_string())));
    let steps = done.chain(failed).collect::<Vec<_>>().join(", ");
    format!("{} ({}): {steps}", store.name, store.store.kind())
}

fn as_json(store: &Enabled, checked: &Checked) -> Value {
    let took =
        checked.done.iter().map(|(step, took)| (step.to_string(), json!(took.as_secs_f64())));
    let failed = checked.failed.as_ref();
    json!({
        "id": store.name,
        "type": store.store.kind(),
        "ok": failed.is_none(),
        "seconds": Map::from_iter(took),
        "failed": failed.map(|(step, why)| json!({ "step": step.to_string(), "why": why.to_string() })),
    })
}
