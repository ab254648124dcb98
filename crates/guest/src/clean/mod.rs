//! Removing what belongs to one instance. One file for each operation; [`ALL`] is their list.

mod options;

use crate::edit::known;
use crate::{Edit, Os, Result, Root};

pub use options::Options;

/// All operations, in the order in which they are done.
pub const ALL: &[&dyn Operation] = &[];

/// One kind of trace to remove. To add one: a file here, and a line in [`ALL`].
pub trait Operation: Sync {
    /// Its name in options and reports.
    fn name(&self) -> &'static str;
    /// What it does, in a line.
    fn summary(&self) -> &'static str;
    /// Whether it is done without being asked for.
    fn by_default(&self) -> bool {
        true
    }
    /// Does it. A second time it changes nothing.
    ///
    /// # Errors
    /// If the guest cannot be changed so.
    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()>;
}

/// What an operation works with.
#[derive(Debug)]
pub struct Cleaning<'a> {
    /// Changes the guest's files.
    pub edit: Edit<'a>,
    /// What the guest is.
    pub os: &'a Os,
}

impl<'a> Cleaning<'a> {
    /// A cleaning that leaves what matches the patterns.
    pub fn new(root: &'a Root, os: &'a Os, keep: &'a [String]) -> Self {
        Cleaning { edit: Edit::new(root, keep), os }
    }
}

impl Options {
    /// Whether the names in `skip` and `also` are those of operations.
    ///
    /// # Errors
    /// [`Error::UnknownName`](crate::Error::UnknownName).
    pub fn validate(&self) -> Result<()> {
        let names = || ALL.iter().map(|operation| operation.name());
        self.skip
            .iter()
            .chain(&self.also)
            .try_for_each(|name| known("clean operation", name, names()))
    }

    /// Whether an operation is to be done.
    pub fn wants(&self, operation: &dyn Operation) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == operation.name());
        !named(&self.skip) && (operation.by_default() || named(&self.also))
    }
}
