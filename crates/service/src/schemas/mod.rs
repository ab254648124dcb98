//! JSON schemas of what the API shows. Clients read them to learn which properties there are:
//! `glance` makes its options of them.
//!
//! The schemas are the `.json` files beside this one; the names that enumerations take come from
//! the domain, so that they can't differ from what is accepted.

mod local;
pub(crate) mod metadefs;

use std::sync::LazyLock;

use image::{ContainerFormat, DiskFormat, MemberStatus, Status, TaskStatus, TaskType, Visibility};
use serde_json::{Value, json};

static IMAGE: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = read(include_str!("image.json"));
    let properties = &mut schema["properties"];
    properties["status"]["enum"] = names(Status::ALL);
    properties["visibility"]["enum"] = names(Visibility::ALL);
    properties["disk_format"]["enum"] = names_or_null(DiskFormat::ALL);
    properties["container_format"]["enum"] = names_or_null(ContainerFormat::ALL);
    schema
});

static MEMBER: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = read(include_str!("member.json"));
    schema["properties"]["status"]["enum"] = names(MemberStatus::ALL);
    schema
});

static TASK: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = read(include_str!("task.json"));
    schema["properties"]["type"]["enum"] = names(TaskType::ALL);
    schema["properties"]["status"]["enum"] = names(TaskStatus::ALL);
    schema
});

/// Lists leave out what a task was asked, and what came of it.
static TASKS: LazyLock<Value> = LazyLock::new(|| {
    let mut stub = TASK.clone();
    for name in ["input", "result", "message"] {
        stub["properties"].as_object_mut().and_then(|properties| properties.remove(name));
    }
    collection("tasks", &stub)
});

static MEMBERS: LazyLock<Value> = LazyLock::new(|| collection("members", &MEMBER));

pub use local::Schemas;

/// One image, with all formats that there are.
pub(crate) fn image() -> &'static Value {
    &IMAGE
}

/// One member.
pub(crate) fn member() -> &'static Value {
    &MEMBER
}

/// All members.
pub(crate) fn members() -> &'static Value {
    &MEMBERS
}

/// One task.
pub(crate) fn task() -> &'static Value {
    &TASK
}

/// A page of tasks.
pub(crate) fn tasks() -> &'static Value {
    &TASKS
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("the schemas are part of the program, and tested")
}

fn collection(name: &str, items: &Value) -> Value {
    json!({
        "name": name,
        "properties": {
            name: { "type": "array", "items": items },
            "schema": { "type": "string" },
        },
        "links": [{ "rel": "describedby", "href": "{schema}" }],
    })
}

/// A collection that is listed page by page.
pub(crate) fn page(name: &str, items: &Value) -> Value {
    let mut schema = collection(name, items);
    let mut links = Vec::new();
    for link in ["first", "next"] {
        schema["properties"][link] = json!({ "type": "string" });
        links.push(json!({ "rel": link, "href": format!("{{{link}}}") }));
    }
    if let Some(others) = schema["links"].as_array_mut() {
        others.splice(0..0, links);
    }
    schema
}

fn names<T: serde::Serialize>(all: &[T]) -> Value {
    json!(all)
}

fn names_or_null<T: serde::Serialize>(all: &[T]) -> Value {
    let mut names = vec![Value::Null];
    names.extend(all.iter().map(|name| json!(name)));
    Value::Array(names)
}

#[cfg(test)]
mod tests {
    use ::image::{Image, ImageId, Timestamp};

    use super::*;
    use crate::view;

    #[test]
    fn everything_that_is_shown_is_described() {
        let image = Image::new(ImageId::random(), None, Timestamp::now());
        let shown = serde_json::to_value(view::image(
            &image,
            view::Showing { locations: true, ..Default::default() },
        ))
        .unwrap();
        let described = super::image()["properties"].as_object().unwrap();
        for name in shown.as_object().unwrap().keys() {
            assert!(described.contains_key(name), "{name}");
        }
    }

    #[test]
    fn collections_hold_the_single_ones() {
        assert_eq!(&members()["properties"]["members"]["items"], member());
        let images = page("images", image());
        assert_eq!(&images["properties"]["images"]["items"], image());
        assert!(images["properties"]["next"].is_object());
    }
}
