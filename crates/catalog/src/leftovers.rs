//! What may be left in stores, and is nobody's: [`Leftovers`].
//!
//! Who could not take back what it has written, for the store was away, notes that before it gives the
//! image up. The note outlives whoever made it: any service on the catalog that has the store removes
//! what is left once the store answers, and then the note.
//!
//! Bytes that a record loses are noted with that change, so that no death of who removes them then leaves
//! them for ever.
//!
//! Notes are kept where [`Uploads`](crate::Uploads) are: each store is a node of that name, which no
//! Glance has.

use async_trait::async_trait;
use image::ImageId;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::uploads::HOLDER;

/// Bytes that may be at an image's place in a store, and are nobody's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Leftover {
    /// The image.
    pub image: ImageId,
    /// The store's name.
    pub store: String,
    /// Another one each time that it is noted.
    pub key: u64,
    /// Somebody removes it already, and forgets it then: others have to do with it only where that
    /// does not come to its end.
    pub is_going: bool,
}

impl Leftover {
    /// One that is noted now.
    pub(crate) fn of(image: ImageId, store: &str) -> Self {
        let random = ImageId::random().to_string();
        // Columns have 63 bits; these are 32.
        let key = random.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let key = key.unwrap_or_default();
        Self { image, store: store.to_owned(), key, is_going: false }
    }

    /// What is removed as soon as the image's record has lost it: noted by
    /// [`delete`](crate::Catalog::delete) and [`remove_location`](crate::Catalog::remove_location).
    pub fn going(image: ImageId, store: &str) -> Self {
        Self { is_going: true, ..Self::of(image, store) }
    }
}

/// What the node of a store is called.
pub(crate) fn place(store: &str) -> String {
    format!("{HOLDER}left:{store}")
}

/// The leftovers of the catalog. All methods are atomic and durable when they return.
#[async_trait]
pub trait Leftovers: Send + Sync {
    /// Notes that something may be left at an image's place in a store. Where that is noted already,
    /// the note gets another key: who removes what it knew of does not forget what came after.
    async fn note_leftover(&self, image: ImageId, store: &str) -> Result<()>;

    /// What is noted of a store.
    async fn leftovers(&self, store: &str) -> Result<Vec<Leftover>>;

    /// Forgets what was removed. What was noted again since it was read stays.
    async fn forget_leftover(&self, seen: &Leftover) -> Result<()>;
}
