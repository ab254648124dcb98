//! Watching a boot until the instance reports.

use std::time::Duration;

use super::report::{Reader, Report};
use super::{Progress, Stage, stage};
use crate::qemu::{Running, Said};
use crate::{Cancel, Error, Result};

/// The stages that were reached, and when.
pub(super) type Stages = Vec<(Stage, Duration)>;

/// Reads the console until the report is whole, or the boot has failed.
pub(super) fn until_report(
    running: &Running,
    on_progress: &mut dyn FnMut(Progress),
    cancel: &Cancel,
) -> Result<(Report, Stages)> {
    let mut stages = Stages::new();
    let mut reader = Reader::default();
    loop {
        let line = match running.next(waiting_for(&stages), cancel)? {
            Some(Said::Console(line)) => line,
            Some(Said::Channel(_)) => continue,
            None => return Err(stopped(running, "it powered off before it reported")),
        };
        if let Some(why) = stage::failure(&line) {
            return Err(stopped(running, why));
        }
        let report = reader.take(&line);
        let reached = if report.is_some() { Some(Stage::Reported) } else { Stage::shown_by(&line) };
        on_progress(Progress::Console(line));
        if let Some(stage) = reached.filter(|stage| !seen(&stages, *stage)) {
            stages.push((stage, running.age()));
            on_progress(Progress::Reached(stage, running.age()));
        }
        if let Some(report) = report {
            return Ok((report, stages));
        }
    }
}

fn seen(stages: &Stages, stage: Stage) -> bool {
    stages.iter().any(|(known, _)| *known == stage)
}

/// What a boot that hangs after these stages hangs before.
fn waiting_for(stages: &Stages) -> &'static str {
    match stages.last().map(|(stage, _)| stage) {
        None => "the kernel's first line on the serial console",
        Some(Stage::Kernel) => "the start of cloud-init",
        Some(Stage::CloudInitLocal) => "cloud-init's network stage",
        Some(_) => "the end of cloud-init and the instance's report",
    }
}

fn stopped(running: &Running, why: &str) -> Error {
    Error::Stopped { why: why.to_owned(), screen: running.screen() }
}
