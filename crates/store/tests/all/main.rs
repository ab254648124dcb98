//! Every kind of store does what `Store` promises: one suite, and a file for each kind that says
//! how one is had. Those whose servers no variable names are left out, and say so.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod conformance;
mod keystone;

mod cinder;
mod file;
mod gridfs;
mod http;
mod rbd;
mod s3;
mod sheepdog;
mod swift;
mod vmware;
