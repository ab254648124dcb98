//! Whole guests: made by code, dirtied as by an instance that ran, prepared, cleaned and checked.

mod checking;
mod cleaning;
mod guests;
mod hostile;
mod preparing;
mod traces;
