//! What notifications say of tasks.

use image::Task;
use serde_json::{Value, json};

/// A task. What it was asked for is not told: that may hold credentials. Source:
/// `format_task_notification` of Glance.
pub(crate) fn task(task: &Task) -> Value {
    json!({
        "id": task.id,
        "type": task.kind,
        "status": task.status,
        "result": null,
        "owner": task.owner,
        "message": null,
        "expires_at": task.expires_at,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "deleted": false,
        "deleted_at": null,
    })
}
