//! What happens on the line, told as it happens.

use serde::Serialize;

use crate::steps::StepName;

/// Something that happened. As JSON it is an object with the key `event`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A step begins.
    Started {
        /// Which.
        step: StepName,
        /// What it does, in a line.
        what: String,
    },
    /// A step was done by an earlier run.
    Reused {
        /// Which.
        step: StepName,
        /// What it does, in a line.
        what: String,
        /// When it was done.
        made: jiff::Timestamp,
    },
    /// A step says what it is at.
    Note {
        /// Which.
        step: StepName,
        /// What, in a line.
        text: String,
    },
    /// A step knows how far it is.
    Progress {
        /// Which.
        step: StepName,
        /// Bytes that are done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// What an offline check found.
    Finding {
        /// Which step looked.
        step: StepName,
        /// What it found.
        finding: guest::check::Finding,
    },
    /// A step is done.
    Finished {
        /// Which.
        step: StepName,
        /// What came of it, in a line.
        result: String,
        /// How long it took.
        seconds: f64,
    },
}

/// Who hears of events.
pub(crate) type Observer<'a> = dyn FnMut(Event) + 'a;
