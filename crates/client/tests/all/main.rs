//! The client against a service that misbehaves on demand.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod downloads;
mod fake_glance;
mod records;
mod sessions;
mod uploads;
