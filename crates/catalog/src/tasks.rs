//! Where tasks live: [`Tasks`], and what a list of them may ask for.
//!
//! Any number of services may work on the tasks of one catalog. Whoever works on a task holds a
//! [`Lease`] on it: the time of its last sign of life, which is the task's `updated_at`. Each sign
//! of life replaces it, and only if it is still the one that the holder knows; so somebody who was
//! taken for dead can change nothing any more. Glance's tables need no column for that.

use std::time::Duration;

use async_trait::async_trait;
use image::{ImageId, Task, TaskId, TaskStatus, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Direction, Result};

/// The right to work on a task, until somebody takes the task over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The task.
    pub task: TaskId,
    /// Its holder's last sign of life.
    pub renewed_at: Timestamp,
}

impl Lease {
    /// The lease of whoever has just registered a task.
    pub fn of(task: &Task) -> Self {
        Self { task: task.id, renewed_at: task.updated_at }
    }
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

    /// Says that work on a pending task begins. Errors: `LeaseLost`.
    async fn begin_task(&self, lease: &mut Lease) -> Result<()>;

    /// Gives a sign of life, and says how it is going. Errors: `LeaseLost`, also when the image's
    /// import lock names another task.
    async fn renew_task(&self, lease: &mut Lease, message: &str) -> Result<Renewed>;

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
