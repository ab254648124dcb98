//! The description of the API that the service serves at `/v2/openapi.json`, as OpenAPI 3.1.
//!
//! Each file of routes has a table `OPERATIONS` beside its `routes()`, with one line for what each
//! method of each path does, takes and answers; `routes/mod.rs` puts the tables together. A test
//! compares the tables with the routes, so that none is without a description.
//!
//! Reference: "OpenAPI Specification 3.1.1".

mod document;
mod operation;

pub(crate) use document::document;
pub(crate) use operation::{Content, Operation};

#[cfg(test)]
mod coverage;
