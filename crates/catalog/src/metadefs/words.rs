//! The words of metadata definitions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use image::{Timestamp, UnknownName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a property may be: the keywords of a JSON schema, such as `type`, `title` and `enum`.
pub type Definition = Map<String, Value>;

/// Definitions by the names of their properties.
pub type Definitions = BTreeMap<String, Definition>;

/// When something was made and last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Creation.
    pub created_at: Timestamp,
    /// The last change. What was loaded from a file and not changed since has none.
    pub updated_at: Option<Timestamp>,
}

impl Times {
    /// Made now.
    pub fn now() -> Self {
        let now = Timestamp::now();
        Self { created_at: now, updated_at: Some(now) }
    }
}

/// Who sees a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Everybody.
    Public,
    /// The project that owns it.
    #[default]
    Private,
}

impl Reach {
    /// As the API and the database spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reach {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "public" => Ok(Self::Public),
            "private" => Ok(Self::Private),
            _ => Err(UnknownName { kind: "visibility of a namespace", found: text.to_owned() }),
        }
    }
}

/// A vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Unique, at most 80 characters, as `OS::Compute::Watchdog`.
    pub name: String,
    /// A name for people.
    pub display_name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Who sees it.
    pub reach: Reach,
    /// Whether it, and what is in it, is kept from deletion.
    pub protected: bool,
    /// The project that owns it.
    pub owner: String,
    /// Creation and last change.
    pub times: Times,
}

/// A group of properties that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Unique in its namespace.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Names of the properties that have to be given.
    pub required: Vec<String>,
    /// The properties.
    pub properties: Definitions,
    /// Creation and last change.
    pub times: Times,
}

/// A property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Unique in its namespace.
    pub name: String,
    /// What it may be.
    pub definition: Definition,
}

/// A word to tag with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Unique in its namespace.
    pub name: String,
    /// Creation and last change.
    pub times: Times,
}

/// A type of resources that definitions can be for, as `OS::Nova::Flavor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceType {
    /// Unique.
    pub name: String,
    /// Creation and last change.
    pub times: Times,
}

/// That a namespace is for resources of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// The type's name.
    pub resource_type: String,
    /// What stands before the names of properties on such resources, as `hw_`.
    pub prefix: Option<String>,
    /// Which of several sets of properties is meant where the type has more than one: `image` for
    /// the image's on a volume.
    pub properties_target: Option<String>,
    /// Creation and last change.
    pub times: Times,
}

/// All that is in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// The types of resources that it is for.
    pub associations: Vec<Association>,
    /// Objects.
    pub objects: Vec<Object>,
    /// Properties.
    pub properties: Vec<Property>,
    /// Tags.
    pub tags: Vec<Tag>,
}
