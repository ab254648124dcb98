//! The catalog over the wire: a [`Registry`] holds it and alone knows the database, any number of
//! [`Client`]s are catalogs themselves and ask it.
//!
//! **The way.** TLS 1.3, with certificates on both sides or with a secret that both know (RFC 8446,
//! "Pre-Shared Key"), which proves each side to the other and never travels; or, on one machine, a
//! socket of its own ([`Way`]). Both say which version of the protocol they speak before anything
//! else (`greeting`). What has proven nothing yet costs little, and for a moment only (`door`); what
//! has, may do what the catalog can.
//!
//! **Frames.** Calls are numbered, and many are under way on one connection (`frame`); a long answer
//! comes in pieces, between which others go. What is asked for is an operation of one table
//! (`operations`), from which both sides are made, so that they can't drift apart.
//!
//! **Lost answers.** A client whose connection breaks asks again on the next one. A change has a
//! key; the registry remembers what it answered (`answers`) and makes no change twice. Where it
//! can't know, it says that the catalog is unavailable, as a database does whose connection broke
//! during a commit.

mod address;
mod answers;
mod argument;
mod broken;
mod certificate;
mod client;
mod door;
mod frame;
mod greeting;
mod keeper;
mod operations;
mod route;
mod server;
mod session;
mod stream;
mod tls;

pub use address::{Address, BadAddress};
pub use broken::Broken;
pub use certificate::Allowed;
pub use client::Client;
pub use greeting::VERSION;
pub use server::Registry;
pub use stream::Way;
pub use tls::{BadKeys, Keys, SHORTEST_SECRET};
