//! What stores on other machines have in common: uploads in parts of bounded memory, repetition of
//! what may pass, and for those behind HTTP a client, downloads that go on after a break, and one
//! writer for each image.

mod begun;
mod claims;
mod client;
mod encode;
mod grant;
mod held;
mod hmac;
mod outgoing;
mod parts;
mod pending;
mod resume;
mod retry;
mod writers;

pub(crate) use begun::Begun;
use claims::Claims;
pub(crate) use client::{Http, reason, unanswered, with_causes};
pub(crate) use encode::{decode, encode};
pub(crate) use grant::{Grant, Grants, PATIENCE, Wanted};
pub(crate) use held::Held;
pub(crate) use hmac::{hex, hmac};
pub(crate) use outgoing::Outgoing;
pub(crate) use parts::{Part, Parts, streamed};
pub(crate) use pending::Pending;
pub(crate) use resume::{Answer, Reader, resuming};
pub(crate) use retry::{Failed, attempted, retried};
pub(crate) use writers::Writers;

/// What a transfer may hold in memory, in bytes. With its buffers and what lies unused between the
/// pieces it takes 11 MiB more (`bench/stores`).
pub(crate) const MEMORY: u64 = 40 * 1024 * 1024;
