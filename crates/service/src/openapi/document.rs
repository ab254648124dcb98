//! The tables of operations as a document.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::operation::{Content, Operation};
use crate::{patch, routes, schemas};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| build(&routes::operations()));

/// The description of the API.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

fn build(operations: &[Operation]) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.1",
        "info": { "title": "Image Service API v2", "version": "2.18" },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
            },
            "schemas": all_schemas(),
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "summary": operation.summary,
        "operationId": operation_id(operation),
        "parameters": parameters(operation),
        "responses": {
            operation.status.to_string(): answer("Done.", operation.answers),
            "default": answer("Why it was not done.", Content::Json("error")),
        },
    });
    if operation.takes != Content::Nothing {
        described["requestBody"] = json!({ "required": true, "content": content(operation.takes) });
    }
    if operation.is_open {
        described["security"] = json!([]);
    }
    described
}

/// `get_v2_images_image_id`: unique, and a name in every language.
fn operation_id(operation: &Operation) -> String {
    let path = operation.path.replace(['{', '}'], "").replace(['/', '.', '-'], "_");
    format!("{}{path}", operation.method)
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let in_path = in_path.map(|(name, _)| {
        json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name) })
    });
    let others = |place: &'static str, named: &'static [(&'static str, &'static str)]| {
        named.iter().map(
            move |(name, kind)| json!({ "name": name, "in": place, "schema": { "type": kind } }),
        )
    };
    in_path
        .chain(others("query", operation.query))
        .chain(others("header", operation.headers))
        .collect()
}

fn path_schema(name: &str) -> Value {
    match name {
        "image_id" | "task_id" => json!({ "type": "string", "format": "uuid" }),
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

fn answer(description: &str, kind: Content) -> Value {
    match kind {
        Content::Nothing => json!({ "description": description }),
        kind => json!({ "description": description, "content": content(kind) }),
    }
}

fn content(kind: Content) -> Value {
    match kind {
        Content::Nothing => json!({}),
        Content::Json(name) => json!({ "application/json": { "schema": reference(name) } }),
        Content::Patch => json!({
            patch::V21: { "schema": reference("patch") },
            patch::V20: { "schema": reference("older_patch") },
        }),
        Content::Bytes => json!({ "application/octet-stream": {} }),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schemas that the API itself serves, and those of bodies that it has no schema for.
pub(super) fn all_schemas() -> Map<String, Value> {
    let text = include_str!("schemas.json");
    let mut all: Map<String, Value> =
        serde_json::from_str(text).expect("the schemas are part of the program, and tested");
    for (name, schema) in SERVED {
        all.insert((*name).to_owned(), schema().clone());
    }
    all.insert("images".to_owned(), schemas::page("images", schemas::image()));
    all
}

type Served = fn() -> &'static Value;

const SERVED: &[(&str, Served)] =
    &[("image", schemas::image), ("member", schemas::member), ("members", schemas::members)];
