//! A recipe becomes a plan, the plan becomes an image.
//!
//! A [`Recipe`] is read and checked whole.

mod error;
mod layout;
pub mod recipe;

pub use disk::ByteSize;
pub use error::{Error, Result};
pub use recipe::Recipe;
