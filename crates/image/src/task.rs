//! Tasks: work that goes on after the request that asked for it was answered.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::names::named;
use crate::{Timestamp, UnknownName};

/// The identifier of a task: a UUID, written with hyphens and in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Uuid);

impl TaskId {
    /// A new random identifier (UUID version 4).
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for TaskId {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownName { kind: "task id", found: text.to_owned() };
        if text.len() != 36 {
            return Err(unknown());
        }
        Uuid::try_parse(text).map(Self).map_err(|_| unknown())
    }
}

named! {
    /// What a task does (Glance's `Task._supported_task_type`).
    TaskType, "task type", {
        /// Makes an image of what is at a URL: the tasks API's own import.
        Import = "import",
        /// An import that `POST /v2/images/{id}/import` asked for.
        ApiImageImport = "api_image_import",
        /// Finds out the hashes of an image that was registered by its location.
        LocationImport = "location_import",
    }
}

named! {
    /// How far a task is (Glance's `Task._supported_task_status`).
    TaskStatus, "task status", {
        /// Nobody has begun with it.
        Pending = "pending",
        /// Somebody works on it.
        Processing = "processing",
        /// Done.
        Success = "success",
        /// It ended without having done what was asked.
        Failure = "failure",
    }
}

impl TaskStatus {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Success | Self::Failure)
    }
}

/// A task: its record in the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identifier.
    pub id: TaskId,
    /// What it does.
    pub kind: TaskType,
    /// How far it is.
    pub status: TaskStatus,
    /// The project that asked for it.
    pub owner: String,
    /// The image that it is about, as the caller spelled it.
    pub image_id: Option<String>,
    /// The user who asked for it.
    pub user_id: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// What it needs to know: a JSON object.
    pub input: Value,
    /// What came of it: a JSON object, or null.
    pub result: Value,
    /// How it is going, or why it failed; empty when there is nothing to say.
    pub message: String,
    /// When it is deleted; set once it has ended.
    pub expires_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When whoever works on it last gave a sign of life.
    pub updated_at: Timestamp,
}

impl Task {
    /// A new task that nobody has begun with.
    pub fn new(kind: TaskType, owner: String, input: Value, now: Timestamp) -> Self {
        Self {
            id: TaskId::random(),
            kind,
            status: TaskStatus::Pending,
            owner,
            image_id: None,
            user_id: None,
            request_id: None,
            input,
            result: Value::Null,
            message: String::new(),
            expires_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}
