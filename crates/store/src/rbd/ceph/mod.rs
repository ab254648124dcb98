//! Ceph's client libraries, librados and librbd, behind types that can't be misused: all of this
//! crate's `unsafe` is in this folder. They are loaded when the first store of this kind is used, so
//! a host without them runs the same binary.
//!
//! [`Cluster`], [`Pool`] and [`Image`] close what they stand for when they are dropped, each after
//! what was opened from it. Their methods wait for the cluster, and belong on threads that may;
//! reads and writes of an image alone ([`transfer`]) are futures.
#![allow(unsafe_code)]

mod cluster;
mod failure;
mod image;
mod library;
mod pool;
#[cfg(test)]
mod tests;
mod transfer;

pub(super) use cluster::{Access, CONNECTING, Cluster};
pub(super) use failure::Failure;
pub(super) use image::{Child, Closed, Image};
pub(super) use pool::{CLONING, Pool, Shape};
