//! A recipe becomes a plan, the plan becomes an image.
//!
//! A [`Recipe`] is read and checked whole. A [`Plan`] finds which steps are done, by the keys of
//! everything that they depend on, in a [`WorkFolder`]; [`Plan::run`] does the others. A step gets
//! a disk and hands on a disk; it never changes its input.

mod digest;
mod error;
mod event;
mod image_file;
mod layout;
mod place;
mod plan;
mod program;
pub mod recipe;
mod run;
mod steps;
mod tool;
mod work;

pub use disk::ByteSize;
pub use error::{Error, Result};
pub use event::Event;
pub use guest::check::{Finding, Severity, Verdict};
pub use machine::Cancel;
pub use place::{cache, work_dir};
pub use plan::{Extent, Needs, Plan, PlannedStep};
pub use recipe::Recipe;
pub use steps::{Converted, Published, StepName};
pub use work::{DiskFile, Key, Output, Pruned, WorkFolder};
