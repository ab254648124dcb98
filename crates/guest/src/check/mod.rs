//! Judging a guest by its files, without changing anything. One file for each subject; [`ALL`] is
//! the list of checks.

mod options;

use serde::{Deserialize, Serialize};

use crate::edit::known;
use crate::{Guest, Result};

pub use options::{FailOn, Options};

/// All checks, in the order in which they are told.
pub const ALL: &[&dyn Check] = &[];

/// One thing to judge. To add one: a type in a file here, and a line in [`ALL`].
pub trait Check: Sync {
    /// A letter for its group (N network, C cloud-init, B boot, I identity, S security) and a
    /// number.
    fn id(&self) -> &'static str;
    /// What should be so.
    fn title(&self) -> &'static str;
    /// How bad it is if it is not.
    fn severity(&self) -> Severity;
    /// What to do about it.
    fn fix(&self) -> &'static str;
    /// Looks.
    ///
    /// # Errors
    /// If the guest's files cannot be read.
    fn look(&self, guest: &Guest<'_>) -> Result<Outcome>;
}

/// How bad it is when a check does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An instance works, with a flaw.
    Warning,
    /// An instance misbehaves or is unsafe.
    Error,
}

/// What a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is so.
    Holds,
    /// It is not, and this is what is wrong.
    Broken(String),
    /// It does not concern this guest, and this is why.
    Irrelevant(&'static str),
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well.
    Pass,
    /// A flaw.
    Warn,
    /// The image misbehaves or is unsafe.
    Fail,
    /// It does not concern this guest.
    Skip,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's id.
    pub check: String,
    /// What should be so.
    pub title: String,
    /// How bad it is if it is not.
    pub severity: Severity,
    /// How it ended.
    pub verdict: Verdict,
    /// What is wrong, or why it was not looked at; empty if all is well.
    pub what: String,
    /// What to do about it; empty if all is well.
    pub fix: String,
    /// Whether the image is not to be used, by the job's `fail_on`.
    pub rejects: bool,
}

impl Outcome {
    /// All is well if there is no problem; else they are told one after the other.
    pub fn from_problems(problems: impl IntoIterator<Item = String>) -> Outcome {
        let problems: Vec<String> = problems.into_iter().collect();
        if problems.is_empty() { Outcome::Holds } else { Outcome::Broken(problems.join("; ")) }
    }
}

/// Does a check. What cannot be read cannot be vouched for: that is a failure, too.
pub(crate) fn look(check: &dyn Check, guest: &Guest<'_>, fail_on: FailOn) -> Finding {
    let severity = check.severity();
    let (verdict, what) = match check.look(guest) {
        Ok(Outcome::Holds) => (Verdict::Pass, String::new()),
        Ok(Outcome::Irrelevant(why)) => (Verdict::Skip, why.into()),
        Ok(Outcome::Broken(what)) if severity == Severity::Warning => (Verdict::Warn, what),
        Ok(Outcome::Broken(what)) => (Verdict::Fail, what),
        Err(why) => (Verdict::Fail, format!("cannot be checked: {why}")),
    };
    let is_bad = matches!(verdict, Verdict::Warn | Verdict::Fail);
    Finding {
        check: check.id().into(),
        title: check.title().into(),
        severity,
        verdict,
        what,
        fix: if is_bad { check.fix().into() } else { String::new() },
        rejects: fail_on.rejects(verdict),
    }
}

impl Options {
    /// Whether the ids in `skip` are those of checks.
    ///
    /// # Errors
    /// [`Error::UnknownName`](crate::Error::UnknownName).
    pub fn validate(&self) -> Result<()> {
        let ids = || ALL.iter().map(|check| check.id());
        self.skip.iter().try_for_each(|id| known("check", id, ids()))
    }
}
