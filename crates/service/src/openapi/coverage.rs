//! Proof that the description names every route, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::document;
use super::operation::{Content, Operation};
use crate::routes;

#[test]
fn every_route_is_described() {
    let described: BTreeSet<_> = routes::operations().iter().map(named).collect();
    let missing: Vec<_> =
        routed().into_iter().filter(|route| !is_among(route, &described)).collect();
    assert!(missing.is_empty(), "add a line to OPERATIONS of the route's file for {missing:#?}");
}

#[test]
fn nothing_is_described_that_is_no_route() {
    let routed = routed();
    for operation in routes::operations() {
        let (method, path) = named(&operation);
        let mut short = NESTS.iter().filter_map(|nest| path.strip_prefix(nest));
        let found = short.any(|path| routed.contains(&(method.clone(), path.to_owned())));
        assert!(found, "no route for {operation:?}");
    }
}

#[test]
fn no_line_is_there_twice() {
    let operations = routes::operations();
    let names: BTreeSet<_> = operations.iter().map(named).collect();
    assert_eq!(names.len(), operations.len());
}

#[test]
fn every_schema_that_is_named_is_there() {
    let schemas = document::all_schemas();
    for operation in routes::operations() {
        for content in [operation.takes, operation.answers] {
            if let Content::Json(name) = content {
                assert!(schemas.contains_key(name), "{name}: {operation:?}");
            }
        }
    }
}

#[test]
fn an_operation_is_described_whole() {
    let operation = &super::document()["paths"]["/v2/images/{image_id}"]["patch"];
    assert_eq!(operation["parameters"][0]["name"], "image_id");
    assert_eq!(operation["parameters"][0]["in"], "path");
    assert!(operation["requestBody"]["content"][crate::patch::V21].is_object());
    let shown = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(shown, &json!({ "$ref": "#/components/schemas/image" }));
    assert_eq!(super::document()["paths"]["/versions"]["get"]["security"], Value::Array(vec![]));
}

/// Where files of routes are nested.
const NESTS: &[&str] = &["", "/v2", "/v2/metadefs"];

fn named(operation: &Operation) -> (String, String) {
    (operation.method.to_owned(), operation.path.to_owned())
}

fn is_among((method, path): &(String, String), described: &BTreeSet<(String, String)>) -> bool {
    NESTS.iter().any(|nest| described.contains(&(method.clone(), format!("{nest}{path}"))))
}

/// Methods and paths that the files in `routes/` route, read from their text: a router does not
/// tell what it routes.
fn routed() -> BTreeSet<(String, String)> {
    let mut texts = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes"), &mut texts);
    texts.iter().flat_map(|text| text.split(".route(").skip(1).flat_map(route)).collect()
}

fn read(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, texts);
        } else {
            let text = std::fs::read_to_string(path).unwrap();
            texts.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// The methods of one `.route("path", get(…).post(…))`, from what follows its opening parenthesis.
fn route(text: &str) -> Vec<(String, String)> {
    const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];
    let arguments = &text[..end(text)];
    let (path, handlers) =
        arguments.trim_start().strip_prefix('"').unwrap().split_once('"').unwrap();
    let is_used = |method: &&&str| {
        let called = format!("{method}(");
        handlers.match_indices(&called).any(|(at, _)| {
            let before = handlers[..at].chars().next_back();
            before.is_none_or(|character| !character.is_alphanumeric() && character != '_')
        })
    };
    METHODS.iter().filter(is_used).map(|method| ((*method).to_owned(), path.to_owned())).collect()
}

/// Where the parenthesis that is open at the start closes.
fn end(text: &str) -> usize {
    let mut open = 1;
    let closes = |character| {
        open += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        open == 0
    };
    text.find(closes).unwrap()
}
