//! The words of the image service's domain, with no I/O: an [`Image`] and its parts, and the one
//! place that knows which state may follow which ([`Status::next`]).
//!
//! Names, values and limits are those of OpenStack's Image API v2 and of Glance's schema.

mod format;
mod id;
mod location;
mod member;
mod names;
mod record;
mod status;
mod task;
mod time;

pub use format::{ContainerFormat, DiskFormat};
pub use id::ImageId;
pub use location::{Location, without_credentials};
pub use member::{Member, MemberStatus};
pub use names::UnknownName;
pub use record::{DataHashes, Image, Visibility};
pub use status::{Event, IllegalMove, Status};
pub use task::{Task, TaskId, TaskStatus, TaskType};
pub use time::Timestamp;
