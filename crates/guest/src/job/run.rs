//! Doing a job.

use std::time::Instant;

use super::{Change, Event, Job, Report, Task, TaskKind};
use crate::{Commands, Error, Guest, Result, Root, check, clean, inspect, prepare};

/// Does the tasks of a job on a guest, one after the other, and tells each event as it happens.
/// A finding that rejects the image is no error: it is in the report.
///
/// # Errors
/// An option that names nothing, before anything is changed; then the first operation that fails,
/// as [`Error::Operation`], after which the guest is in between.
pub fn run(
    root: &Root,
    mut commands: Option<&mut (dyn Commands + '_)>,
    job: &Job,
    emit: &mut dyn FnMut(Event),
) -> Result<Report> {
    job.validate()?;
    let mut report = Report::default();
    for task in &job.tasks {
        let kind = task.kind();
        let begin = Instant::now();
        emit(Event::Started { task: kind });
        let mut told = Told { task: kind, report: &mut report, emit };
        match task {
            Task::Inspect => told.inspected(root)?,
            Task::Prepare(options) => {
                // Reborrowed for each task; the annotation lets its lifetime shrink.
                let commands: Option<&mut dyn Commands> = match &mut commands {
                    Some(commands) => Some(&mut **commands),
                    None => None,
                };
                prepare(root, commands, options, job.network, &mut told)?;
            }
            Task::Clean(options) => clean(root, options, &mut told)?,
            Task::Check(options) => check(root, options, &mut told)?,
        }
        emit(Event::Done { task: kind, seconds: begin.elapsed().as_secs_f64() });
    }
    Ok(report)
}

impl Job {
    /// Whether each operation and check that the options name exists.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the nearest name.
    pub fn validate(&self) -> Result<()> {
        self.tasks.iter().try_for_each(|task| match task {
            Task::Inspect => Ok(()),
            Task::Prepare(options) => options.validate(),
            Task::Clean(options) => options.validate(),
            Task::Check(options) => options.validate(),
        })
    }
}

/// What is told, and kept for the report.
struct Told<'a> {
    task: TaskKind,
    report: &'a mut Report,
    emit: &'a mut dyn FnMut(Event),
}

impl Told<'_> {
    fn inspected(&mut self, root: &Root) -> Result<()> {
        let os = inspect(root)?;
        (self.emit)(Event::Inspected(os.clone()));
        self.report.os = Some(os);
        Ok(())
    }

    fn changed(&mut self, operation: &str, summary: &str, paths: Vec<String>) {
        if paths.is_empty() {
            return self.skipped(operation, "nothing to do");
        }
        let change =
            Change { task: self.task, operation: operation.into(), summary: summary.into(), paths };
        (self.emit)(Event::Changed(change.clone()));
        self.report.changes.push(change);
    }

    fn skipped(&mut self, operation: &str, why: &str) {
        let (operation, why) = (operation.into(), why.into());
        (self.emit)(Event::Skipped { task: self.task, operation, why });
    }

    fn failed(&mut self, operation: &'static str, why: Error) -> Error {
        let (task, error) = (self.task, why.to_string());
        (self.emit)(Event::Failed { task, operation: operation.into(), error });
        Error::Operation { task, operation, source: Box::new(why) }
    }
}

fn prepare(
    root: &Root,
    mut commands: Option<&mut dyn Commands>,
    options: &prepare::Options,
    network: bool,
    told: &mut Told<'_>,
) -> Result<()> {
    let mut os = inspect(root)?;
    for operation in prepare::ALL {
        let name = operation.name();
        if options.skip.iter().any(|skipped| skipped == name) {
            told.skipped(name, "the recipe skips it");
            continue;
        }
        let mut log = |line: &str| (told.emit)(Event::Log(line.into()));
        let mut preparation = prepare::Preparation::new(root, &os, options, &mut log);
        preparation.network = network;
        preparation.commands = match &mut commands {
            Some(commands) => Some(&mut **commands),
            None => None,
        };
        match operation.apply(&mut preparation) {
            Ok(()) => {
                let paths = preparation.edit.into_changed();
                // Installed packages are what the next operations look at.
                if name == prepare::PACKAGES && !paths.is_empty() {
                    os = inspect(root)?;
                }
                told.changed(name, operation.summary(), paths);
            }
            Err(why) => return Err(told.failed(name, why)),
        }
    }
    Ok(())
}

fn clean(root: &Root, options: &clean::Options, told: &mut Told<'_>) -> Result<()> {
    let os = inspect(root)?;
    for operation in clean::ALL {
        let name = operation.name();
        if !options.wants(*operation) {
            told.skipped(name, "not asked for");
            continue;
        }
        let mut cleaning = clean::Cleaning::new(root, &os, &options.keep);
        match operation.clean(&mut cleaning) {
            Ok(()) => told.changed(name, operation.summary(), cleaning.edit.into_changed()),
            Err(why) => return Err(told.failed(name, why)),
        }
    }
    Ok(())
}

fn check(root: &Root, options: &check::Options, told: &mut Told<'_>) -> Result<()> {
    let guest = Guest::new(root)?;
    for check in check::ALL {
        if !options.skip.iter().any(|skipped| skipped == check.id()) {
            let finding = check::look(*check, &guest, options.fail_on);
            (told.emit)(Event::Finding(finding.clone()));
            told.report.findings.push(finding);
        }
    }
    Ok(())
}
