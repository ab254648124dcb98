//! The HTTP wing: the Image API v2 of OpenStack over a catalog of records and a store of bytes.
//!
//! A request is read by its route (`routes/`, one file per resource), which asks the identity who
//! calls, the policy whether they may, and the catalog for the record. Bytes go their own ways:
//! `upload` and `download`. Nothing here knows a database or a store by name.
//!
//! Reference: "Image Service API v2" of OpenStack, and Glance 33 where that is silent.

mod app;
mod body;
pub mod cache;
mod caller;
mod conformity;
mod cors;
mod create;
mod digest;
mod download;
mod error;
mod forwarded;
mod gate;
mod health;
mod imports;
mod intake;
mod json_schema;
pub mod keys;
mod leftovers;
mod limits;
mod linger;
mod listing;
mod locations;
mod metadefs;
mod notices;
mod openapi;
mod outlasting;
mod patch;
mod property;
mod protected;
mod quota;
mod range;
mod reading;
mod receiving;
mod rendering;
mod request_id;
mod routes;
mod rules;
mod schemas;
mod scrub;
mod serve;
mod sharing;
mod sweep;
mod task_list;
mod task_view;
mod upload;
mod view;
mod watch;

pub use app::{App, Parts};
pub use imports::{ImportSettings, Imports, sweep_staging, work};
pub use leftovers::Leftovers;
pub use limits::Limits;
pub use locations::LocationSettings;
pub use receiving::{Receiving, recover, tend};
pub use routes::router;
pub use rules::{
    BadRules, BadSchema, Cors, Custom, Deletion, Formats, Health, Operation, Protections, Rules,
};
pub use schemas::Schemas;
pub use scrub::{Scrubbed, scrub, scrub_repeatedly};
pub use serve::{serve, stalled_after};
pub use sweep::{Swept, sweep, sweep_temporary};
