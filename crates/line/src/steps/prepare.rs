//! `prepare`: what a cloud needs is put into the guest.

use disk::ByteSize;
use guest::job::Task;
use guest::prepare::Options;
use serde_json::{Value, json};

use super::editing::{self, Reach};
use super::{HandedOn, Made, Room, Step, StepName, Work};
use crate::Result;
use crate::recipe::{Format, Recipe};
use crate::tool::Tool;

/// The step.
pub(super) struct Prepare(Options);

impl Prepare {
    pub(super) fn of(recipe: &Recipe) -> Self {
        Prepare(recipe.prepare.clone())
    }
}

impl Step for Prepare {
    fn name(&self) -> StepName {
        StepName::Prepare
    }

    fn what(&self) -> String {
        "fit the guest for a cloud".to_owned()
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "options": self.0, "appliance": editing::identity() }))
    }

    fn tools(&self) -> Vec<Tool> {
        vec![editing::QEMU]
    }

    fn room(&self, content: ByteSize) -> Room {
        // Packages that it installs, and an initial RAM disk or two.
        Room { work: content.bytes() / 2, temporary: 0 }
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let reach = if self.0.packages.is_empty() { Reach::Offline } else { Reach::Network };
        let report = editing::edit(work, Task::Prepare(self.0.clone()), reach)?;
        let result = editing::changes(&report);
        let disk = HandedOn::New(editing::DISK.to_owned(), Format::Qcow2);
        Ok(Made { result, disk, found: json!({ "os": report.os, "changes": report.changes }) })
    }
}
