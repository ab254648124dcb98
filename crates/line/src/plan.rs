//! What is to be done, and what is done already.

use std::env;

use disk::ByteSize;
use serde::Serialize;

use crate::recipe::Recipe;
use crate::steps::{self, Lasts, Step, StepName};
use crate::tool::Tool;
use crate::work::{Key, Output, WorkFolder};
use crate::{Error, Result, place, tool};

/// Which part of the line is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// This step and those after it are done again.
    pub from: Option<StepName>,
    /// Nothing after this step is done.
    pub until: Option<StepName>,
}

/// A line of steps, each with its key and, if it is done, its output.
pub struct Plan {
    pub(crate) folder: WorkFolder,
    pub(crate) image: String,
    pub(crate) steps: Vec<Planned>,
}

pub(crate) struct Planned {
    pub(crate) step: Box<dyn Step>,
    pub(crate) key: Key,
    pub(crate) output: Option<Output>,
}

/// A step of a plan, to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// Which.
    pub step: StepName,
    /// What it does, in a line.
    pub what: String,
    /// The key of what it makes.
    pub key: String,
    /// When it was done; none if it is still to do.
    pub done: Option<jiff::Timestamp>,
    /// How long it took when it was done, in seconds.
    pub seconds: Option<f64>,
}

/// Room that the steps to do need at most, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// In the work folder.
    pub work: u64,
    /// In the system's temporary folder.
    pub temporary: u64,
}

/// A disk whose content nobody knows yet.
const UNKNOWN_CONTENT: ByteSize = ByteSize::new(2 << 30);

impl Plan {
    /// The plan of a recipe in a work folder.
    ///
    /// # Errors
    /// [`Error::NoSuchStep`] when the extent names a step that the recipe does not have.
    pub fn of(recipe: &Recipe, folder: WorkFolder, extent: Extent) -> Result<Plan> {
        Self::with(steps::of(recipe), recipe.image.name.clone(), folder, extent)
    }

    /// A step is done when its output is there and those before it are done: what a step made from
    /// an output that is gone says nothing about what takes its place.
    pub(crate) fn with(
        steps: Vec<Box<dyn Step>>,
        image: String,
        folder: WorkFolder,
        extent: Extent,
    ) -> Result<Plan> {
        for named in [extent.from, extent.until].into_iter().flatten() {
            if !steps.iter().any(|step| step.name() == named) {
                return Err(Error::NoSuchStep(named));
            }
        }
        let mut planned: Vec<Planned> = Vec::new();
        for step in steps {
            if extent.until.is_some_and(|until| step.name() > until) {
                break;
            }
            let before = planned.last();
            let key = Key::of(step.name(), &step.inputs()?, before.map(|planned| &planned.key));
            let fresh = extent.from.is_none_or(|from| step.name() < from)
                && before.is_none_or(|before| before.output.is_some())
                && step.lasts() == Lasts::UntilInputsChange;
            let output = if fresh { folder.find(step.name(), &key) } else { None };
            planned.push(Planned { step, key, output });
        }
        Ok(Plan { folder, image, steps: planned })
    }

    /// The steps, to be shown.
    pub fn steps(&self) -> Vec<PlannedStep> {
        let show = |planned: &Planned| PlannedStep {
            step: planned.step.name(),
            what: planned.step.what(),
            key: planned.key.to_string(),
            done: planned.output.as_ref().map(|output| output.made),
            seconds: planned.output.as_ref().map(|output| output.seconds),
        };
        self.steps.iter().map(show).collect()
    }

    /// The work folder.
    pub fn folder(&self) -> &WorkFolder {
        &self.folder
    }

    /// The room that the steps to do need at most.
    pub fn needs(&self) -> Needs {
        let mut content = UNKNOWN_CONTENT;
        let mut needs = Needs::default();
        for planned in &self.steps {
            content = planned.step.content().unwrap_or(content);
            if planned.output.is_none() {
                let room = planned.step.room(content);
                needs.work += room.work;
                // One step runs at a time.
                needs.temporary = needs.temporary.max(room.temporary);
            }
        }
        needs
    }

    /// Makes sure that programs and room are there for the steps to do.
    ///
    /// # Errors
    /// [`Error::ToolsMissing`], [`Error::NoSpace`].
    pub fn require(&self) -> Result<()> {
        let to_do = || self.steps.iter().filter(|planned| planned.output.is_none());
        let tools: Vec<Tool> = to_do().flat_map(|planned| planned.step.tools()).collect();
        tool::require(&tools)?;
        for planned in to_do() {
            planned.step.require()?;
        }
        self.require_room()
    }

    fn require_room(&self) -> Result<()> {
        let needs = self.needs();
        let (work, temporary) = (self.folder.root().to_owned(), env::temp_dir());
        let shared = if place::share_room(&work, &temporary)? { needs.temporary } else { 0 };
        let places = [
            (work, needs.work + shared, "--work-dir"),
            (temporary, needs.temporary, "the environment variable TMPDIR"),
        ];
        for (path, needed, option) in places {
            let available = place::free(&path)?;
            if available.bytes() < needed {
                let needed = ByteSize::new(needed);
                return Err(Error::NoSpace { path, needed, available, option });
            }
        }
        Ok(())
    }
}
