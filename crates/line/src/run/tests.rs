//! The line with steps that only count how often they run.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::rc::Rc;

use disk::ByteSize;
use serde_json::{Value, json};

use super::*;
use crate::plan::Extent;
use crate::recipe::Format;
use crate::steps::{Room, Step, StepName};

/// What the steps of a test share.
#[derive(Default)]
struct Log {
    ran: RefCell<Vec<StepName>>,
    fails: Cell<Option<StepName>>,
    changed: Cell<Option<StepName>>,
}

struct Counting(StepName, Rc<Log>);

impl Step for Counting {
    fn name(&self) -> StepName {
        self.0
    }

    fn what(&self) -> String {
        "counts".into()
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "changed": self.1.changed.get() == Some(self.0) }))
    }

    fn room(&self, _: ByteSize) -> Room {
        Room::default()
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        self.1.ran.borrow_mut().push(self.0);
        let before = match work.disk() {
            Ok(disk) => fs::read_to_string(&disk.path).unwrap(),
            Err(_) => String::new(),
        };
        fs::write(work.file("disk"), format!("{before}{} ", self.0)).unwrap();
        if self.1.fails.get() == Some(self.0) {
            return Err(Error::doing("a test")(std::io::ErrorKind::Other.into()));
        }
        let disk = HandedOn::New("disk".to_owned(), Format::Raw);
        Ok(Made { result: String::new(), disk, found: json!(null) })
    }
}

const LINE: [StepName; 3] = [StepName::Source, StepName::Clean, StepName::Convert];

fn run(root: &Path, log: &Rc<Log>, extent: Extent) -> Result<String> {
    log.ran.borrow_mut().clear();
    let steps = LINE.map(|name| Box::new(Counting(name, Rc::clone(log))) as Box<dyn Step>);
    let folder = WorkFolder::take(root)?;
    let plan = Plan::with(steps.into_iter().collect(), "x".into(), folder, extent)?;
    let outputs = plan.run(&mut |_| {}, &Cancel::new())?;
    let disk = outputs.last().unwrap().disk.clone().unwrap();
    Ok(fs::read_to_string(disk.path).unwrap())
}

fn all() -> Extent {
    Extent::default()
}

#[test]
fn a_second_run_does_nothing_and_gives_the_same() {
    let (root, log) = (tempfile::tempdir().unwrap(), Rc::new(Log::default()));
    assert_eq!(run(root.path(), &log, all()).unwrap(), "source clean convert ");
    assert_eq!(*log.ran.borrow(), LINE);
    assert_eq!(run(root.path(), &log, all()).unwrap(), "source clean convert ");
    assert!(log.ran.borrow().is_empty());
}

#[test]
fn a_changed_part_runs_again_with_what_follows_it() {
    let (root, log) = (tempfile::tempdir().unwrap(), Rc::new(Log::default()));
    run(root.path(), &log, all()).unwrap();
    log.changed.set(Some(StepName::Clean));
    run(root.path(), &log, all()).unwrap();
    assert_eq!(*log.ran.borrow(), LINE[1..]);
    // What was made before the change is still there.
    log.changed.set(None);
    run(root.path(), &log, all()).unwrap();
    assert!(log.ran.borrow().is_empty());
}

#[test]
fn after_a_failure_the_line_goes_on_at_the_step_that_failed() {
    let (root, log) = (tempfile::tempdir().unwrap(), Rc::new(Log::default()));
    log.fails.set(Some(StepName::Clean));
    let why = run(root.path(), &log, all()).unwrap_err();
    assert!(matches!(why, Error::Step { step: StepName::Clean, .. }));
    let left: Vec<_> =
        fs::read_dir(root.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(
        left.iter().filter(|name| !name.eq_ignore_ascii_case("lock")).count(),
        1,
        "{left:?}"
    );
    log.fails.set(None);
    assert_eq!(run(root.path(), &log, all()).unwrap(), "source clean convert ");
    assert_eq!(*log.ran.borrow(), LINE[1..]);
}

#[test]
fn an_output_that_is_gone_is_made_again_with_what_came_of_it() {
    let (root, log) = (tempfile::tempdir().unwrap(), Rc::new(Log::default()));
    run(root.path(), &log, all()).unwrap();
    let mut entries = fs::read_dir(root.path()).unwrap().flatten();
    let source = entries.find(|entry| entry.file_name().to_string_lossy().starts_with("source-"));
    fs::remove_dir_all(source.unwrap().path()).unwrap();
    run(root.path(), &log, all()).unwrap();
    assert_eq!(*log.ran.borrow(), LINE);
}

#[test]
fn from_and_until_bound_what_is_done() {
    let (root, log) = (tempfile::tempdir().unwrap(), Rc::new(Log::default()));
    let until = Extent { until: Some(StepName::Clean), from: None };
    assert_eq!(run(root.path(), &log, until).unwrap(), "source clean ");
    let from = Extent { from: Some(StepName::Clean), until: None };
    run(root.path(), &log, from).unwrap();
    assert_eq!(*log.ran.borrow(), LINE[1..]);
    let unknown = Extent { from: Some(StepName::Boot), until: None };
    assert!(matches!(run(root.path(), &log, unknown), Err(Error::NoSuchStep(StepName::Boot))));
}

#[test]
fn a_cancelled_line_keeps_what_was_done() {
    let (root, log) = (tempfile::tempdir().unwrap(), Rc::new(Log::default()));
    let cancel = Cancel::new();
    let steps = LINE.map(|name| Box::new(Counting(name, Rc::clone(&log))) as Box<dyn Step>);
    let folder = WorkFolder::take(root.path()).unwrap();
    let plan = Plan::with(steps.into_iter().collect(), "x".into(), folder, all()).unwrap();
    let stop_after_first = &mut |event| {
        if matches!(event, Event::Finished { .. }) {
            cancel.cancel();
        }
    };
    assert!(plan.run(stop_after_first, &cancel).unwrap_err().is_cancelled());
    run(root.path(), &log, all()).unwrap();
    assert_eq!(*log.ran.borrow(), LINE[1..]);
}
