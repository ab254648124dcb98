//! What can be wrong with a policy.

use std::io;
use std::path::PathBuf;

use super::BadRule;

/// What can be wrong with a policy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder can't be read.
    #[error("can't read the policy {}: {cause}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// A file is neither YAML nor JSON, or no map of rules.
    #[error("the policy {} is no map of names to rules: {why}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What was expected, and where.
        why: String,
    },
    /// A rule can't be read.
    #[error("{}, line {line}: rule \"{rule}\", {why}", path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// The line where the rule's text begins, from 1.
        line: u64,
        /// The rule's name.
        rule: String,
        /// What is wrong, and where in the rule.
        #[source]
        why: BadRule,
    },
    /// A rule that leads to itself.
    #[error("rules refer to each other in a circle: {circle}; let one of them stand for itself")]
    Circle {
        /// The names, the first one again at the end.
        circle: String,
    },
    /// Rules that refer to each other over too many steps.
    #[error("rule \"{rule}\" refers to others over more than {most} steps")]
    TooDeep {
        /// Where they begin.
        rule: String,
        /// The limit.
        most: usize,
    },
}
