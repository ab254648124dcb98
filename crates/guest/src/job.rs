//! What is to be done to a guest, and what happened: the protocol between whoever asks (a line, a
//! command) and the room where it runs (the appliance, a directory).
//!
//! A [`Job`] is one JSON object on one line; each [`Event`] and the final [`Report`] are one line
//! each on the way back.

mod run;

use serde::{Deserialize, Serialize};

use crate::{Os, check, clean, prepare};

pub use run::run;

/// Tasks for one guest, done in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What to do.
    pub tasks: Vec<Task>,
    /// Whether the guest's own commands (its package manager) may reach the network.
    #[serde(default)]
    pub network: bool,
    /// Whether the room gives free blocks back to the disk afterwards. [`run`] itself only knows
    /// directories and leaves this to the room.
    #[serde(default)]
    pub trim: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Say what the guest is.
    Inspect,
    /// Make it fit for a cloud.
    Prepare(prepare::Options),
    /// Remove what belongs to one instance.
    Clean(clean::Options),
    /// Judge it, without changing anything.
    Check(check::Options),
}

impl Task {
    /// Which task it is, without its options.
    pub fn kind(&self) -> TaskKind {
        match self {
            Task::Inspect => TaskKind::Inspect,
            Task::Prepare(_) => TaskKind::Prepare,
            Task::Clean(_) => TaskKind::Clean,
            Task::Check(_) => TaskKind::Check,
        }
    }
}

/// The name of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// [`Task::Inspect`]
    Inspect,
    /// [`Task::Prepare`]
    Prepare,
    /// [`Task::Clean`]
    Clean,
    /// [`Task::Check`]
    Check,
}

impl std::fmt::Display for TaskKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            TaskKind::Inspect => "inspect",
            TaskKind::Prepare => "prepare",
            TaskKind::Clean => "clean",
            TaskKind::Check => "check",
        })
    }
}

/// Something that happened, told at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A task begins.
    Started {
        /// Which.
        task: TaskKind,
    },
    /// An operation changed the guest.
    Changed(Change),
    /// An operation was not wanted, or had nothing to do.
    Skipped {
        /// Of which task.
        task: TaskKind,
        /// The operation's name.
        operation: String,
        /// Why.
        why: String,
    },
    /// A check's result.
    Finding(check::Finding),
    /// What the guest is.
    Inspected(Os),
    /// A line that one of the guest's own commands said.
    Log(String),
    /// A task is finished.
    Done {
        /// Which.
        task: TaskKind,
        /// How long it took.
        seconds: f64,
    },
    /// An operation failed, and the job ends.
    Failed {
        /// Of which task.
        task: TaskKind,
        /// The operation's name.
        operation: String,
        /// What went wrong, and what to do about it.
        error: String,
    },
}

/// What one operation changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Of which task.
    pub task: TaskKind,
    /// The operation's name.
    pub operation: String,
    /// What the operation is for, in a line.
    pub summary: String,
    /// The files and directories that were changed or removed, as paths from the guest's root.
    pub paths: Vec<String>,
}

/// All that a job found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the guest is, as the last `Inspect` saw it.
    pub os: Option<Os>,
    /// What was changed, in the order of the operations.
    pub changes: Vec<Change>,
    /// What the checks said.
    pub findings: Vec<check::Finding>,
}

impl Report {
    /// The findings for which the image is not to be used, by the job's own `fail_on`.
    pub fn rejections(&self) -> impl Iterator<Item = &check::Finding> {
        self.findings.iter().filter(|finding| finding.rejects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line_and_comes_back_the_same() {
        let job = Job {
            tasks: vec![
                Task::Inspect,
                Task::Prepare(prepare::Options::default()),
                Task::Clean(clean::Options::default()),
                Task::Check(check::Options::default()),
            ],
            network: true,
            trim: false,
        };
        let line = serde_json::to_string(&job).unwrap();
        assert!(!line.contains('\n'));
        assert!(line.contains(r#""task":"clean""#), "{line}");
        assert_eq!(serde_json::from_str::<Job>(&line).unwrap(), job);
    }

    #[test]
    fn an_unknown_option_is_refused() {
        let line = r#"{"tasks":[{"task":"clean","skip":[],"kepe":[]}]}"#;
        let why = serde_json::from_str::<Job>(line).unwrap_err().to_string();
        assert!(why.contains("kepe"), "{why}");
    }

    #[test]
    fn every_event_is_an_object() {
        for event in [Event::Log("x".into()), Event::Started { task: TaskKind::Check }] {
            let value = serde_json::to_value(&event).unwrap();
            assert!(value.is_object(), "{value}");
        }
    }
}
