//! Tasks as the API shows them.

use image::{Task, Timestamp};
use serde_json::{Value, json};

/// One task, with all that there is to know.
pub(crate) fn whole(task: &Task) -> Value {
    let mut shown = stub(task);
    let ids = [
        ("image_id", &task.image_id),
        ("request_id", &task.request_id),
        ("user_id", &task.user_id),
    ];
    for (name, id) in ids.into_iter().filter_map(|(name, id)| Some((name, id.as_deref()?))) {
        shown[name] = id.into();
    }
    shown["input"] = input(task);
    shown["result"] = task.result.clone();
    shown["message"] = task.message.clone().into();
    shown
}

/// What a task was asked, without what the services tell each other.
fn input(task: &Task) -> Value {
    let mut input = task.input.clone();
    if let Some(fields) = input.as_object_mut() {
        fields.remove(crate::imports::WORKER);
    }
    input
}

/// One task of a list.
pub(crate) fn stub(task: &Task) -> Value {
    let mut shown = json!({
        "id": task.id,
        "type": task.kind,
        "status": task.status,
        "owner": task.owner,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "self": format!("/v2/tasks/{}", task.id),
        "schema": "/v2/schemas/task",
    });
    if let Some(expires_at) = task.expires_at {
        shown["expires_at"] = json!(expires_at);
    }
    shown
}

/// One task of an image: Glance shows these as its database has them.
pub(crate) fn stored(task: &Task) -> Value {
    json!({
        "id": task.id,
        "type": task.kind,
        "status": task.status,
        "owner": task.owner,
        "expires_at": task.expires_at.map(civil),
        "created_at": civil(task.created_at),
        "updated_at": civil(task.updated_at),
        "deleted_at": null,
        "deleted": false,
        "image_id": task.image_id,
        "request_id": task.request_id,
        "user_id": task.user_id,
        "input": input(task),
        "result": task.result,
        "message": task.message,
    })
}

/// `2026-11-25T02:13:53.701981`; without a fraction where it is none, as Python writes it.
fn civil(instant: Timestamp) -> String {
    let whole = instant.to_string();
    let whole = whole.trim_end_matches('Z');
    match instant.as_microsecond().rem_euclid(1_000_000) {
        0 => whole.to_owned(),
        fraction => format!("{whole}.{fraction:06}"),
    }
}

#[cfg(test)]
mod tests {
    use image::TaskType;

    use super::*;

    #[test]
    fn times_are_written_as_python_writes_them() {
        let at = |microsecond| civil(Timestamp::from_microsecond(microsecond));
        assert_eq!(at(1_700_000_000_000_042), "2023-11-14T22:13:20.000042");
        assert_eq!(at(1_700_000_000_000_000), "2023-11-14T22:13:20");
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let task = Task::new(TaskType::Import, "p".into(), json!({}), Timestamp::now());
        let shown = whole(&task);
        let shown = shown.as_object().unwrap();
        for name in ["image_id", "request_id", "user_id", "expires_at"] {
            assert!(!shown.contains_key(name), "{name}");
        }
        assert_eq!(shown["result"], Value::Null);
        assert_eq!(shown["message"], "");
    }
}
