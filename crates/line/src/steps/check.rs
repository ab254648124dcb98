//! `check`: the guest is judged without being started.

use std::fs;

use disk::ByteSize;
use guest::check::Options;
use guest::job::Task;
use serde_json::{Value, json};

use super::editing::{self, Reach};
use super::{HandedOn, Made, Room, Step, StepName, Work};
use crate::recipe::Recipe;
use crate::tool::Tool;
use crate::{Error, Result};

/// The step.
pub(super) struct Check(Options);

impl Check {
    pub(super) fn of(recipe: &Recipe) -> Self {
        Check(recipe.check.clone())
    }
}

impl Step for Check {
    fn name(&self) -> StepName {
        StepName::Check
    }

    fn what(&self) -> String {
        "judge the guest without starting it".to_owned()
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "options": self.0, "appliance": editing::identity() }))
    }

    fn tools(&self) -> Vec<Tool> {
        vec![editing::QEMU]
    }

    fn room(&self, _: ByteSize) -> Room {
        Room::default()
    }

    /// The disk is judged through an overlay that is thrown away: mounting it may replay a journal.
    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let report = editing::edit(work, Task::Check(self.0.clone()), Reach::Offline)?;
        let overlay = work.file(editing::DISK);
        fs::remove_file(&overlay).map_err(Error::at(&overlay))?;
        let (failed, all) = (report.rejections().count(), report.findings.len());
        if failed > 0 {
            return Err(Error::ChecksFailed { failed, all });
        }
        let found = json!({ "os": report.os, "findings": report.findings });
        Ok(Made { result: format!("{all} checks"), disk: HandedOn::Same, found })
    }
}
