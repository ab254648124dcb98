//! The steps of the line, one file each. To add one: a file with a [`Step`], a name in
//! [`StepName`], a place in [`of`].

mod boot;
mod check;
mod clean;
mod convert;
mod editing;
mod prepare;
mod publish;
mod source;
mod work;

use std::fmt;
use std::str::FromStr;

use disk::ByteSize;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use convert::Converted;
pub use publish::Published;
pub(crate) use work::{HandedOn, Made, Work};

use crate::Result;
use crate::recipe::Recipe;
use crate::tool::Tool;

/// The name of a step; they are in the order of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// A disk comes from packages, or from an image file.
    Source,
    /// What a cloud needs is put into the guest.
    Prepare,
    /// What belongs to one instance is taken out.
    Clean,
    /// The guest is judged without being started.
    Check,
    /// The image is started as a cloud would.
    Boot,
    /// The disk becomes the file that is published.
    Convert,
    /// The file goes to an image service.
    Publish,
}

impl StepName {
    /// All, in the order of the line.
    pub const ALL: [StepName; 7] = [
        StepName::Source,
        StepName::Prepare,
        StepName::Clean,
        StepName::Check,
        StepName::Boot,
        StepName::Convert,
        StepName::Publish,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            StepName::Source => "source",
            StepName::Prepare => "prepare",
            StepName::Clean => "clean",
            StepName::Check => "check",
            StepName::Boot => "boot",
            StepName::Convert => "convert",
            StepName::Publish => "publish",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for StepName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = StepName::ALL.into_iter().find(|step| step.name() == name);
        let names = || StepName::ALL.map(StepName::name).join(", ");
        found.ok_or_else(|| format!("steps are: {}", names()))
    }
}

/// A step of one recipe's line.
pub(crate) trait Step {
    /// Which.
    fn name(&self) -> StepName;

    /// What it does, in a line.
    fn what(&self) -> String;

    /// Everything that its output depends on, beside what came before it.
    fn inputs(&self) -> Result<Value>;

    /// Whether what it made is good for the next run.
    fn lasts(&self) -> Lasts {
        Lasts::UntilInputsChange
    }

    /// Programs that it runs.
    fn tools(&self) -> Vec<Tool> {
        Vec::new()
    }

    /// Makes sure of whatever else it needs.
    fn require(&self) -> Result<()> {
        Ok(())
    }

    /// The room that it needs for a disk with that much in it.
    fn room(&self, content: ByteSize) -> Room;

    /// What will be in the disk, if this step decides it.
    fn content(&self) -> Option<ByteSize> {
        None
    }

    /// Does it.
    fn run(&self, work: &mut Work<'_>) -> Result<Made>;
}

/// How long an output is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// As long as what it depends on is the same.
    UntilInputsChange,
    /// The step itself looks whether there is something to do.
    NotAtAll,
}

/// Room that a step needs, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// In the work folder, in bytes.
    pub(crate) work: u64,
    /// In the system's temporary folder, in bytes, while it runs.
    pub(crate) temporary: u64,
}

/// The line of a recipe.
pub(crate) fn of(recipe: &Recipe) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> = vec![
        source::step(recipe),
        Box::new(prepare::Prepare::of(recipe)),
        Box::new(clean::Clean::of(recipe)),
        Box::new(check::Check::of(recipe)),
    ];
    if !recipe.boot.seeds.is_empty() {
        steps.push(Box::new(boot::Boot::of(recipe)));
    }
    steps.push(Box::new(convert::Convert::of(recipe)));
    if let Some(publish) = publish::Publish::of(recipe) {
        steps.push(Box::new(publish));
    }
    steps
}
