//! The records' part of an import: [`Imports`].
//!
//! An import concerns an image and a task. Each step of it changes both in one transaction: there
//! is never an image that is being imported by nobody, and no task that says that it is done before
//! its image is active.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use image::{ContainerFormat, DataHashes, DiskFormat, ImageId, Location, Task, TaskId};
use serde::{Deserialize, Serialize};

use crate::{Budget, Ending, Lease, Result, Upload};

/// The property that names the task which imports an image.
pub const LOCK: &str = "os_glance_import_task";
/// The property that lists the stores that an image is on its way to.
pub const IMPORTING: &str = "os_glance_importing_to_stores";
/// The property that lists the stores that an import failed to reach.
pub const FAILED: &str = "os_glance_failed_import";
/// The property that names the service that holds an image's staged bytes.
pub const STAGE_HOST: &str = "os_glance_stage_host";

/// What becomes of the image's state while an import runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// It is `importing`, and active afterwards.
    Fills,
    /// It stays active: the image gets more locations.
    Copies,
    /// It is `queued`, and what becomes of it is written as it happens: the image gets a location.
    Attaches,
}

/// An import that is to begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportStart {
    /// The task that does it.
    pub task: Task,
    /// What it does to the image's state.
    pub effect: Effect,
    /// The stores that the image goes to.
    pub stores: Vec<String>,
    /// A task whose lock is stale, and is taken away from it.
    pub preempts: Option<TaskId>,
}

/// What an import left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Where the bytes are, durably; at least one.
    pub locations: Vec<Location>,
    /// The stores that could not be reached.
    pub failed: Vec<String>,
    /// The stores that the image was on its way to, as `os_glance_importing_to_stores` names them.
    pub stores: Vec<String>,
    /// What is known of the bytes. `None` when the image had them before.
    pub data: Option<ImportedData>,
    /// Properties that the image gets.
    pub properties: BTreeMap<String, String>,
}

/// The bytes of an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedData {
    /// How many they are.
    pub size: u64,
    /// Size of the disk that they describe, when known.
    pub virtual_size: Option<u64>,
    /// Their digests.
    pub hashes: DataHashes,
    /// Their formats, where they are not those that the record says.
    pub formats: Option<(DiskFormat, ContainerFormat)>,
}

/// The records' part of imports. All methods are atomic and durable when they return.
#[async_trait]
pub trait Imports: Send + Sync {
    /// Registers the task, locks the image for it, and moves the image to the state of the import.
    /// Errors: `NotFound`; `Conflict`; `ImportLocked` when another task holds the image.
    async fn begin_import(&self, image: ImageId, start: &ImportStart) -> Result<()>;

    /// Gives the image what was imported, unlocks it, and ends the task with success; unless the
    /// project would then have more than its budget. Errors: `LeaseLost`, `OverBudget`,
    /// `ImportLocked`, `NotFound`, `Conflict`.
    async fn finish_import(
        &self,
        lease: &Lease,
        image: ImageId,
        imported: &Imported,
        budget: Option<&Budget>,
        keep: Duration,
    ) -> Result<()>;

    /// Puts the image back to the state before the import, unlocks it, and ends the task with a
    /// failure. An image that was deleted, or is locked by another task, stays as it is. Errors:
    /// `LeaseLost`.
    async fn abandon_import(
        &self,
        lease: &Lease,
        image: ImageId,
        stores: &[String],
        why: &str,
        keep: Duration,
    ) -> Result<()>;

    /// Ends the task of an attachment, and unlocks the image where it still is locked by that task.
    /// Errors: `LeaseLost`.
    async fn end_attachment(
        &self,
        lease: &Lease,
        image: ImageId,
        ending: &Ending,
        keep: Duration,
    ) -> Result<()>;

    /// Ends the upload of bytes to the staging area: says how many there are of its image, and where.
    /// Errors: `UploadLost`; `NotFound`, `Conflict` when the image is not `uploading`.
    async fn staged(&self, upload: &Upload, size: u64, host: Option<&str>) -> Result<()>;
}
