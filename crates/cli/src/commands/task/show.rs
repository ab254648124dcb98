//! `tintype task show`.

use std::process::ExitCode;

use client::{Task, Tasks};

use super::{Outcome, exit};
use crate::commands::image::output::{print, print_json, tame};

/// Show how a task is going, or why it failed.
#[derive(clap::Args)]
#[command(
    before_help = "Example:\n  tintype task show 6f1a2c3d-4e5f-4071-8293-a4b5c6d7e8f9 --json",
    after_help = exit::CODES
)]
pub(super) struct Args {
    /// Id.
    task: String,

    /// The task as the service gives it.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(tasks: &Tasks, args: &Args) -> Outcome {
    let task = tasks.show(&args.task).await?;
    if args.json {
        print_json(&task)?
    } else {
        print(&describe(&task))?
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for each thing that is known.
fn describe(task: &Task) -> String {
    let json = |name: &str| {
        let value = task.others.get(name).filter(|value| !value.is_null());
        value.map(ToString::to_string)
    };
    let fields = [
        ("id", Some(task.id.clone())),
        ("type", Some(task.kind.clone())),
        ("status", Some(task.status.clone())),
        ("message", task.message.clone().filter(|message| !message.is_empty())),
        ("image", task.image_id.clone()),
        ("owner", task.owner.clone()),
        ("created", task.created_at.clone()),
        ("updated", task.updated_at.clone()),
        ("expires", task.expires_at.clone()),
        ("input", json("input")),
        ("result", json("result")),
    ];
    let known = fields.into_iter().filter_map(|(name, value)| Some((name, tame(&value?))));
    let lines: Vec<_> = known.map(|(name, value)| format!("{name:7}  {value}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_is_not_shown() {
        let task: Task = serde_json::from_value(json!({"id": "t1", "type": "api_image_import",
            "status": "processing", "message": "Copied 12 MiB", "result": null,
            "input": {"image_id": "i1"}}))
        .unwrap();
        let expected = "\
id       t1
type     api_image_import
status   processing
message  Copied 12 MiB
input    {\"image_id\":\"i1\"}";
        assert_eq!(describe(&task), expected);
    }
}
