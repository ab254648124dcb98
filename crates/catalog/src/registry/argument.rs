//! What operations are given: borrowed where they are called, owned once they have arrived.

use std::time::Duration;

use image::{Event, ImageId, MemberStatus, Status, TaskId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::metadefs::{Existing, Kind, Others};

/// The argument of an operation.
pub(super) trait Argument<'a>: Serialize {
    /// What it is on the other side.
    type Owned: DeserializeOwned;

    /// What the other side hands to its catalog.
    fn lent(owned: &'a Self::Owned) -> Self;
}

impl<'a, T: Serialize + DeserializeOwned> Argument<'a> for &'a T {
    type Owned = T;

    fn lent(owned: &'a T) -> Self {
        owned
    }
}

impl<'a> Argument<'a> for &'a str {
    type Owned = String;

    fn lent(owned: &'a String) -> Self {
        owned
    }
}

impl<'a, T: Serialize + DeserializeOwned> Argument<'a> for &'a [T] {
    type Owned = Vec<T>;

    fn lent(owned: &'a Vec<T>) -> Self {
        owned
    }
}

impl<'a> Argument<'a> for Option<&'a str> {
    type Owned = Option<String>;

    fn lent(owned: &'a Option<String>) -> Self {
        owned.as_deref()
    }
}

impl<'a, T: Serialize + DeserializeOwned> Argument<'a> for Option<&'a T> {
    type Owned = Option<T>;

    fn lent(owned: &'a Option<T>) -> Self {
        owned.as_ref()
    }
}

macro_rules! copied {
    ($($type:ty),* $(,)?) => {$(
        impl<'a> Argument<'a> for $type {
            type Owned = $type;

            fn lent(owned: &'a $type) -> Self {
                *owned
            }
        }
    )*};
}

copied!(
    Duration,
    Event,
    Existing,
    ImageId,
    Kind,
    MemberStatus,
    Option<ImageId>,
    Others,
    Status,
    TaskId,
    Timestamp,
    i64,
    u64,
);
