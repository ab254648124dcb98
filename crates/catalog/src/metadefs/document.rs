//! A namespace as a file says it: the JSON files that Glance ships, loads and exports.

use serde::{Deserialize, Serialize};

use super::{Definitions, Reach};

/// What a file says of one namespace. Unknown names are passed over, as Glance does.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Document {
    /// The namespace's name.
    pub namespace: String,
    /// A name for people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// Who sees it.
    #[serde(default)]
    pub visibility: Option<Reach>,
    /// Whether it is kept from deletion.
    #[serde(default)]
    pub protected: Option<bool>,
    /// The project that owns it; `admin` where none is said. Exports leave it out, as Glance's do:
    /// ids differ between clouds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The types of resources that it is for.
    #[serde(default)]
    pub resource_type_associations: Vec<DocumentAssociation>,
    /// Properties by name.
    #[serde(default)]
    pub properties: Definitions,
    /// Groups of properties.
    #[serde(default)]
    pub objects: Vec<DocumentObject>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<DocumentTag>,
}

/// A type of resources that the namespace is for.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct DocumentAssociation {
    /// The type's name.
    pub name: String,
    /// What stands before names of properties.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Which set of properties is meant.
    #[serde(default)]
    pub properties_target: Option<String>,
}

/// A group of properties.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct DocumentObject {
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// Names of the properties that have to be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The properties.
    #[serde(default)]
    pub properties: Definitions,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct DocumentTag {
    /// Its name.
    pub name: String,
}
