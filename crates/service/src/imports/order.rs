//! What a task of an import has to do, as it is kept in the task's input: in Glance's words, and
//! beside them what a service needs that takes the task over.

use image::{ImageId, Task};
use serde_json::{Value, json};

use super::body::{self, METHODS, Method};
use crate::app::App;

/// The work of one task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) image: ImageId,
    pub(super) method: Method,
    pub(super) stores: Vec<String>,
    pub(super) all_must_succeed: bool,
    /// Whether the caller's images get the properties that operators inject.
    pub(super) injects: bool,
}

/// The key that tells our tasks from those of a Glance on the same catalog, which only that Glance
/// may finish.
pub(crate) const WORKER: &str = "worker";

/// A task's input.
pub(super) fn input(
    image: ImageId,
    request: &Value,
    stores: &[String],
    worker: &str,
    injects: bool,
) -> Value {
    json!({
        "image_id": image,
        "import_req": request,
        "backend": stores,
        WORKER: { "id": worker, "injects": injects },
    })
}

/// The service that works on a task; `None` for one of Glance's.
pub(super) fn worker(task: &Task) -> Option<&str> {
    task.input.get(WORKER)?.get("id")?.as_str()
}

/// Marks the input of a task as ours.
pub(super) fn marked(mut input: Value, worker: &str) -> Value {
    if let Some(fields) = input.as_object_mut() {
        fields.insert(WORKER.to_owned(), json!({ "id": worker }));
    }
    input
}

impl Order {
    /// The stores as the image's properties name them: not at all where clients know no stores.
    pub(super) fn named_stores(&self, app: &App) -> Vec<String> {
        if app.stores.are_named() { self.stores.clone() } else { Vec::new() }
    }

    /// What a task's input asks for; `None` when no service of this kind wrote it.
    pub(super) fn of(task: &Task) -> Option<Self> {
        let all: Vec<_> = METHODS.iter().map(|name| (*name).to_owned()).collect();
        let request = task.input.get("import_req")?;
        let wanted = body::parse(request, &all).ok()?;
        let stores = task.input.get("backend")?.as_array()?.iter();
        Some(Self {
            image: task.input.get("image_id")?.as_str()?.parse().ok()?,
            method: wanted.method,
            stores: stores.map(|name| Some(name.as_str()?.to_owned())).collect::<Option<_>>()?,
            all_must_succeed: wanted.all_must_succeed,
            injects: task.input.get(WORKER)?.get("injects")?.as_bool()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use image::{TaskType, Timestamp};

    use super::*;

    #[test]
    fn an_order_is_read_back_from_its_task() {
        let image = ImageId::random();
        let request = json!({"method": {"name": "copy-image"}, "all_stores_must_succeed": false});
        let input = input(image, &request, &["slow".to_owned()], "here", true);
        let task = Task::new(TaskType::ApiImageImport, "p".into(), input, Timestamp::now());
        let order = Order::of(&task).unwrap();
        assert_eq!((order.image, order.method), (image, Method::CopyImage));
        assert_eq!(order.stores, ["slow"]);
        assert!(order.injects && !order.all_must_succeed);
        assert_eq!(worker(&task), Some("here"));
    }

    #[test]
    fn glances_own_tasks_are_not_ours() {
        let input = json!({"image_id": ImageId::random(), "import_req":
            {"method": {"name": "copy-image"}}, "backend": ["slow"]});
        let task = Task::new(TaskType::ApiImageImport, "p".into(), input, Timestamp::now());
        assert_eq!(Order::of(&task), None);
        assert_eq!(worker(&task), None);
    }
}
