//! Whole guests: made by code, dirtied as by an instance that ran, prepared, cleaned and checked.

// Clippy knows a test by its attribute; these are the tests' own helpers.
#![allow(clippy::unwrap_used)]

mod checking;
mod cleaning;
mod guests;
mod hostile;
mod preparing;
mod traces;
