//! Metadata definitions: a vocabulary of the properties that images, flavors and volumes may have,
//! in namespaces that operators load and users read. A namespace holds properties, objects (groups
//! of properties) and tags, and is associated with the types of resources that it is for.
//!
//! Reference: "Metadata Definitions" of OpenStack's Image API v2.

mod document;
mod fault;
mod query;
mod words;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use document::{Document, DocumentAssociation, DocumentObject, DocumentTag};
pub use fault::{Fault, Kind};
pub use query::{NamespaceKey, NamespaceQuery, TagKey, TagQuery};
pub use words::{
    Association, Contents, Definition, Definitions, Namespace, Object, Property, Reach,
    ResourceType, Tag, Times,
};

use crate::{Result, Viewer};

/// What becomes of the tags that a namespace has when others are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Others {
    /// They stay.
    Keep,
    /// They go.
    Remove,
}

/// What loading a document does where its namespace exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Existing {
    /// Leave the namespace alone.
    Skip,
    /// Add what it lacks.
    Merge,
    /// Add what it lacks, and replace what both have.
    MergeNewer,
    /// Remove the namespace first.
    Overwrite,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loaded {
    /// The namespace is new.
    Created,
    /// The namespace existed and was left alone.
    Skipped,
    /// The namespace existed and was added to.
    Merged,
    /// The namespace existed and was replaced.
    Overwritten,
}

/// The catalog of metadata definitions. All methods are atomic and durable when they return. Where
/// a namespace is named that does not exist, the error is `Fault::NotFound` of a namespace.
/// Everything but the list and [`Metadefs::namespace`] is for callers who know that the viewer may.
#[async_trait]
pub trait Metadefs: Send + Sync {
    /// The namespaces that match, in order, at most `query.limit`, each with its associations.
    async fn namespaces(
        &self,
        viewer: &Viewer,
        query: &NamespaceQuery,
    ) -> Result<Vec<(Namespace, Vec<Association>)>>;

    /// One namespace. Errors: `NotFound`, also when the viewer may not see it.
    async fn namespace(&self, viewer: &Viewer, name: &str) -> Result<Namespace>;

    /// All that is in a namespace, tags with the newest first.
    async fn contents(&self, namespace: &str) -> Result<Contents>;

    /// Creates a namespace with all that is in it. Errors: `Duplicate`.
    async fn create_namespace(&self, namespace: &Namespace, contents: &Contents) -> Result<()>;

    /// Gives a namespace other words, and perhaps another name; its creation stays. Errors:
    /// `DuplicateByUpdate`.
    async fn change_namespace(&self, name: &str, to: &Namespace) -> Result<Namespace>;

    /// Deletes a namespace and all that is in it. Errors: `Protected`.
    async fn delete_namespace(&self, name: &str) -> Result<()>;

    /// Deletes everything of one kind in a namespace. Errors: `Protected`.
    async fn clear(&self, namespace: &str, kind: Kind) -> Result<()>;

    /// Deletes one object, property, tag or association. Errors: `NotFound`; `Protected`.
    async fn remove(&self, namespace: &str, kind: Kind, name: &str) -> Result<()>;

    /// The objects of a namespace, by name.
    async fn objects(&self, namespace: &str) -> Result<Vec<Object>>;

    /// One object. Errors: `NotFound`.
    async fn object(&self, namespace: &str, name: &str) -> Result<Object>;

    /// Adds an object. Errors: `Duplicate`.
    async fn add_object(&self, namespace: &str, object: &Object) -> Result<()>;

    /// Replaces an object; its creation stays. Errors: `NotFound`; `DuplicateByUpdate`.
    async fn change_object(&self, namespace: &str, name: &str, to: &Object) -> Result<Object>;

    /// The properties of a namespace, by name.
    async fn properties(&self, namespace: &str) -> Result<Vec<Property>>;

    /// One property. Errors: `NotFound`.
    async fn property(&self, namespace: &str, name: &str) -> Result<Property>;

    /// Adds a property. Errors: `Duplicate`.
    async fn add_property(&self, namespace: &str, property: &Property) -> Result<()>;

    /// Replaces a property. Errors: `NotFound`; `DuplicateByUpdate`.
    async fn change_property(&self, namespace: &str, name: &str, to: &Property) -> Result<()>;

    /// The tags of a namespace, in order, one page of them. Errors: `NotFound` of the marker.
    async fn tags(&self, namespace: &str, query: &TagQuery) -> Result<Vec<Tag>>;

    /// One tag. Errors: `NotFound`.
    async fn tag(&self, namespace: &str, name: &str) -> Result<Tag>;

    /// Adds tags, all or none; with none to add, nothing changes. Errors: `Duplicate`.
    async fn add_tags(&self, namespace: &str, tags: &[Tag], others: Others) -> Result<()>;

    /// Renames a tag. Errors: `NotFound`; `Duplicate`.
    async fn change_tag(&self, namespace: &str, name: &str, to: &str) -> Result<Tag>;

    /// All types of resources, by creation.
    async fn resource_types(&self) -> Result<Vec<ResourceType>>;

    /// The types of resources that a namespace is for, the first associated first.
    async fn associations(&self, namespace: &str) -> Result<Vec<Association>>;

    /// Associates a namespace with a type of resources, which is made where there is none. Errors:
    /// `Duplicate`.
    async fn associate(&self, namespace: &str, association: &Association) -> Result<()>;

    /// Loads what a file says of one namespace.
    async fn load(&self, document: &Document, existing: Existing) -> Result<Loaded>;

    /// All namespaces with what is in them, by name, as files say it.
    async fn export(&self) -> Result<Vec<Document>>;

    /// Removes all definitions, protected ones too; the types of resources with them.
    async fn unload(&self) -> Result<()>;
}
