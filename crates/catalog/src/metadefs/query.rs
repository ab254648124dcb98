//! What lists of namespaces and tags ask for.

use serde::{Deserialize, Serialize};

use super::Reach;
use crate::Direction;

/// A list of namespaces: filters, order, and one page of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceQuery {
    /// Only those seen by these.
    pub reach: Option<Reach>,
    /// Only those for one of these types of resources.
    pub resource_types: Option<Vec<String>>,
    /// Sorted by this, then by creation and id.
    pub key: NamespaceKey,
    /// Which way.
    pub direction: Direction,
    /// The page begins after the namespace of this name.
    pub marker: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A list of tags of a namespace: order, and one page of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagQuery {
    /// Sorted by this, then by creation and id.
    pub key: TagKey,
    /// Which way.
    pub direction: Direction,
    /// The page begins after the tag of this name.
    pub marker: Option<String>,
    /// At most so many; `None` lists all.
    pub limit: Option<u32>,
}

impl Default for TagQuery {
    fn default() -> Self {
        let (key, direction) = (TagKey::CreatedAt, Direction::Descending);
        Self { key, direction, marker: None, limit: None }
    }
}

macro_rules! keys {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $column:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $(#[doc = concat!("`", $column, "`.")] $variant,)*
        }

        impl $name {
            /// Every key.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As the API spells it, and the database names its column.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $column,)*
                }
            }
        }
    };
}

keys! {
    /// What namespaces can be sorted by.
    NamespaceKey {
        CreatedAt "created_at",
        UpdatedAt "updated_at",
        Id "id",
        Name "namespace",
        DisplayName "display_name",
        Description "description",
        Visibility "visibility",
        Protected "protected",
        Owner "owner",
    }
}

keys! {
    /// What tags can be sorted by.
    TagKey {
        CreatedAt "created_at",
        UpdatedAt "updated_at",
        Id "id",
        Name "name",
    }
}
