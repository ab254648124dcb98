//! Where tasks live: [`Tasks`], and what a list of them may ask for.
//!
//! Any number of services may work on the tasks of one catalog. Whoever works on a task holds a
//! [`Lease`] on it: the time of its last sign of life, which is the task's `updated_at`. Each sign
//! of life replaces it, and only if it is still the one that the holder knows; so somebody who was
//! taken for dead can change nothing any more. A sign whose answer was lost may have been taken or not:
//! it is given again as it was, and the holder has the lease in both cases. Glance's tables need no
//! column for that.

use std::time::Duration;

use async_trait::async_trait;
use image::{ImageId, Task, TaskId, TaskStatus, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Direction, Error, Result};

/// The right to work on a task, until somebody takes the task over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The task.
    pub task: TaskId,
    /// Its holder's last sign of life.
    pub renewed_at: Timestamp,
    /// One that it has given since, and does not know whether it was taken: the answer was lost.
    pub unheard: Option<Timestamp>,
}

impl Lease {
    /// The lease of whoever has just registered a task.
    pub fn of(task: &Task) -> Self {
        Self::renewed(task.id, task.updated_at)
    }

    /// The lease of whoever has given this sign of life.
    pub(crate) fn renewed(task: TaskId, renewed_at: Timestamp) -> Self {
        Self { task, renewed_at, unheard: None }
    }

    /// What the task's sign of life may be while this is its lease.
    pub(crate) fn signs(&self) -> [Timestamp; 2] {
        [self.renewed_at, self.unheard.unwrap_or(self.renewed_at)]
    }

    /// The sign of life to give next.
    fn next(&self) -> Timestamp {
        self.unheard.unwrap_or_else(sign_of_life)
    }

    /// Takes note of what became of a sign of life.
    fn hear<T>(&mut self, sign: Timestamp, answer: &Result<T>) {
        match answer {
            Ok(_) => *self = Self::renewed(self.task, sign),
            Err(Error::LeaseLost(_)) => {}
            Err(_) => self.unheard = Some(sign),
        }
    }
}

/// Whole seconds: Glance's columns keep no more on MySQL. Two signs of life in the same second have
/// one holder, for nobody takes a task over before its lease is many seconds old.
pub(crate) fn sign_of_life() -> Timestamp {
    let now = Timestamp::now().as_microsecond();
    Timestamp::from_microsecond(now - now.rem_euclid(1_000_000))
}

/// What the holder of a lease learns when it gives a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Renewed {
    /// Go on.
    Held,
    /// Somebody wants the task to end.
    Cancelled,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ending {
    /// With this result.
    Success(Value),
    /// For this reason.
    Failure(String),
}

/// A column of tasks that a list may be ordered by, or filtered on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskColumn {
    /// `id`.
    Id,
    /// `type`.
    Kind,
    /// `status`.
    Status,
    /// `owner`.
    Owner,
    /// `image_id`.
    ImageId,
    /// `user_id`.
    UserId,
    /// `request_id`.
    RequestId,
    /// `created_at`.
    CreatedAt,
    /// `updated_at`.
    UpdatedAt,
    /// `expires_at`.
    ExpiresAt,
}

/// What a list of tasks asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskQuery {
    /// Only tasks of this project; `None` for all.
    pub owner: Option<String>,
    /// Only tasks whose columns have these values.
    pub filters: Vec<(TaskColumn, String)>,
    /// The column that orders the list; tasks that are equal in it are ordered by creation.
    pub order: (TaskColumn, Direction),
    /// Begin behind this task.
    pub marker: Option<TaskId>,
    /// Tasks at most.
    pub limit: u32,
}

/// The tasks of the catalog. All methods are atomic and durable when they return.
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Registers a task; whoever does so holds its lease.
    async fn create_task(&self, task: &Task) -> Result<()>;

    /// One task. Errors: `TaskNotFound`.
    async fn task(&self, id: TaskId) -> Result<Task>;

    /// The tasks that match, in order, without input, result and message. Errors: `TaskNotFound`
    /// when there is no such marker.
    async fn list_tasks(&self, query: &TaskQuery) -> Result<Vec<Task>>;

    /// The tasks about an image, by creation.
    async fn image_tasks(&self, image: ImageId) -> Result<Vec<Task>>;

    /// The tasks that have not ended, of all projects, by creation.
    async fn unfinished_tasks(&self) -> Result<Vec<Task>>;

    /// Says that work on a pending task begins, by a sign of life; also of one that has begun by a sign
    /// that was not heard. Errors: `LeaseLost`.
    async fn begin_by(&self, lease: &Lease, sign: Timestamp) -> Result<()>;

    /// Gives a sign of life, and says how it is going. Errors: `LeaseLost`, also when the image's
    /// import lock names another task.
    async fn renew_by(&self, lease: &Lease, sign: Timestamp, message: &str) -> Result<Renewed>;

    /// The same as [`begin_by`](Self::begin_by), by the sign that is next. May be repeated where the
    /// answer was lost.
    async fn begin_task(&self, lease: &mut Lease) -> Result<()> {
        let sign = lease.next();
        let begun = self.begin_by(lease, sign).await;
        lease.hear(sign, &begun);
        begun
    }

    /// The same as [`renew_by`](Self::renew_by), by the sign that is next. May be repeated where the
    /// answer was lost.
    async fn renew_task(&self, lease: &mut Lease, message: &str) -> Result<Renewed> {
        let sign = lease.next();
        let renewed = self.renew_by(lease, sign, message).await;
        lease.hear(sign, &renewed);
        renewed
    }

    /// Takes a task over from whoever held it; it is `processing` then. Errors: `LeaseLost` when
    /// its holder gave a sign of life since `seen` was read.
    async fn take_task_over(&self, seen: &Task) -> Result<Lease>;

    /// Says how a task ended, and that it is deleted after `keep`. Errors: `LeaseLost`.
    async fn end_task(&self, lease: &Lease, ending: &Ending, keep: Duration) -> Result<()>;

    /// Asks whoever works on a task to end it. Returns the state that the task was in; one that has
    /// ended stays as it is. Errors: `TaskNotFound`.
    async fn cancel_task(&self, id: TaskId) -> Result<TaskStatus>;

    /// Deletes the tasks whose time is over; says how many.
    async fn expire_tasks(&self) -> Result<u64>;
}
