//! What can go wrong with metadata definitions. The texts are Glance's.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What is in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Groups of properties.
    Object,
    /// Properties.
    Property,
    /// Tags.
    Tag,
    /// Types of resources that it is for.
    Association,
}

/// What can go wrong with metadata definitions.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Fault {
    /// No such namespace, or the viewer may not see it.
    #[error("Metadata definition namespace={0} was not found.")]
    NamespaceNotFound(String),
    /// The namespace has nothing of that name.
    #[error("{}", not_found(*.kind, .namespace, .name))]
    NotFound {
        /// What was looked for.
        kind: Kind,
        /// Where.
        namespace: String,
        /// By which name.
        name: String,
    },
    /// There is no such type of resources.
    #[error("The metadata definition resource-type with name={0}, was not found.")]
    ResourceTypeNotFound(String),
    /// A namespace of that name exists.
    #[error("The metadata definition namespace={0} already exists.")]
    DuplicateNamespace(String),
    /// Another namespace has the name that this one was to get.
    #[error(
        "Invalid update. It would result in a duplicate metadata definition namespace with the \
         same name of {0}"
    )]
    DuplicateNamespaceByUpdate(String),
    /// The namespace has one of that name.
    #[error("{}", duplicate(*.kind, .namespace, .name))]
    Duplicate {
        /// What was added.
        kind: Kind,
        /// Where.
        namespace: String,
        /// Under which name.
        name: String,
    },
    /// Another one in the namespace has the name that this one was to get.
    #[error("{}", duplicate_by_update(*.kind, .namespace, .name))]
    DuplicateByUpdate {
        /// What was changed.
        kind: Kind,
        /// Where.
        namespace: String,
        /// Its new name.
        name: String,
    },
    /// The namespace is protected from deletion.
    #[error("Metadata definition namespace {0} is protected and cannot be deleted.")]
    NamespaceProtected(String),
    /// The namespace that it is in is protected from deletion.
    #[error("Metadata definition {} {name} is protected and cannot be deleted.", word(*.kind))]
    Protected {
        /// What was to be deleted.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// A row holds what no service should have written.
    #[error("unreadable metadata definition: {0}")]
    Corrupt(String),
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "object",
        Kind::Property => "property",
        Kind::Tag => "tag",
        Kind::Association => "resource-type-association",
    }
}

fn not_found(kind: Kind, namespace: &str, name: &str) -> String {
    match kind {
        Kind::Object => format!("Could not find metadata object {name}"),
        Kind::Property => format!("Could not find property {name}"),
        Kind::Tag => format!("Could not find metadata tag {name}"),
        Kind::Association => format!(
            "The metadata definition resource-type association of resource-type={name} to \
             namespace={namespace}, was not found."
        ),
    }
}

fn duplicate(kind: Kind, namespace: &str, name: &str) -> String {
    match kind {
        Kind::Tag => format!(
            "A metadata tag with name={name} already exists in namespace={namespace}. (Please note \
             that metadata tag names are case insensitive)."
        ),
        Kind::Association => format!(
            "The metadata definition resource-type association of resource-type={name} to \
             namespace={namespace} already exists."
        ),
        Kind::Object | Kind::Property => format!(
            "A metadata definition {} with name={name} already exists in namespace={namespace}.",
            word(kind)
        ),
    }
}

fn duplicate_by_update(kind: Kind, namespace: &str, name: &str) -> String {
    match kind {
        Kind::Object | Kind::Property => format!(
            "Invalid update. It would result in a duplicate metadata definition {} with the same \
             name={name} in namespace={namespace}.",
            word(kind)
        ),
        Kind::Tag | Kind::Association => duplicate(kind, namespace, name),
    }
}
