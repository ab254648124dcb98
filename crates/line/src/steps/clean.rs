//! `clean`: what belongs to one instance is taken out of the guest.

use disk::ByteSize;
use guest::clean::Options;
use guest::job::Task;
use serde_json::{Value, json};

use super::editing::{self, Reach};
use super::{HandedOn, Made, Room, Step, StepName, Work};
use crate::Result;
use crate::recipe::{Format, Recipe};
use crate::tool::Tool;

/// The step.
pub(super) struct Clean(Options);

impl Clean {
    pub(super) fn of(recipe: &Recipe) -> Self {
        Clean(recipe.clean.clone())
    }
}

impl Step for Clean {
    fn name(&self) -> StepName {
        StepName::Clean
    }

    fn what(&self) -> String {
        "remove what belongs to one instance".to_owned()
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "options": self.0, "appliance": editing::identity() }))
    }

    fn tools(&self) -> Vec<Tool> {
        vec![editing::QEMU]
    }

    fn room(&self, content: ByteSize) -> Room {
        // It writes little and frees much.
        Room { work: content.bytes() / 16, temporary: 0 }
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let report = editing::edit(work, Task::Clean(self.0.clone()), Reach::Offline)?;
        let result = editing::changes(&report);
        let disk = HandedOn::New(editing::DISK.to_owned(), Format::Qcow2);
        Ok(Made { result, disk, found: json!({ "os": report.os, "changes": report.changes }) })
    }
}
