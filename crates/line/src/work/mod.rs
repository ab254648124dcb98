//! The work folder: what each step made, under the key of everything that it depends on.
//!
//! A folder `STEP-KEY` is whole or not there: a step fills a draft beside it, which is renamed when
//! it is done. Nothing in it is changed afterwards.

mod draft;
mod folder;
mod key;
mod output;
mod prune;

pub use folder::WorkFolder;
pub use key::Key;
pub use output::{DiskFile, Output};
pub use prune::Pruned;
