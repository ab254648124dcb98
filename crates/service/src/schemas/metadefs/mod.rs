//! JSON schemas of metadata definitions. Requests are checked against the same documents.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::read;

static DEFINITIONS: LazyLock<Value> = LazyLock::new(|| read(include_str!("definitions.json")));

static NAMESPACE: LazyLock<Value> =
    LazyLock::new(|| with_definitions(read(include_str!("namespace.json"))));
static OBJECT: LazyLock<Value> =
    LazyLock::new(|| with_definitions(read(include_str!("object.json"))));
static RESOURCE_TYPE: LazyLock<Value> = LazyLock::new(|| read(include_str!("resource_type.json")));
static TAG: LazyLock<Value> = LazyLock::new(|| read(include_str!("tag.json")));
static PROPERTY: LazyLock<Value> = LazyLock::new(|| property_with(&["type", "title", "name"]));
static NAMELESS_PROPERTY: LazyLock<Value> = LazyLock::new(|| property_with(&["type", "title"]));

static NAMESPACES: LazyLock<Value> = LazyLock::new(|| page("namespaces", &NAMESPACE));
static OBJECTS: LazyLock<Value> = LazyLock::new(|| page("objects", &OBJECT));
static RESOURCE_TYPES: LazyLock<Value> =
    LazyLock::new(|| page("resource_type_associations", &RESOURCE_TYPE));
static TAGS: LazyLock<Value> = LazyLock::new(|| page("tags", &TAG));
static PROPERTIES: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = page("properties", &NAMELESS_PROPERTY);
    let item = schema["properties"]["properties"]["items"].take();
    schema["properties"]["properties"] = json!({ "type": "object", "additionalProperties": item });
    schema
});

static NEW_TAGS: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "name": "tags",
        "properties": {
            "tags": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "name": { "type": "string" } },
                    "required": ["name"],
                    "additionalProperties": false,
                },
            },
        },
        "required": ["tags"],
        "additionalProperties": false,
    })
});

/// The schemas that are served, by the last part of their path.
pub(crate) const SERVED: &[(&str, &LazyLock<Value>)] = &[
    ("namespace", &NAMESPACE),
    ("namespaces", &NAMESPACES),
    ("object", &OBJECT),
    ("objects", &OBJECTS),
    ("property", &PROPERTY),
    ("properties", &PROPERTIES),
    ("resource_type", &RESOURCE_TYPE),
    ("resource_types", &RESOURCE_TYPES),
    ("tag", &TAG),
    ("tags", &TAGS),
];

/// A namespace with all that is in it.
pub(crate) fn namespace() -> &'static Value {
    &NAMESPACE
}

/// An object.
pub(crate) fn object() -> &'static Value {
    &OBJECT
}

/// A property that says its own name.
pub(crate) fn property() -> &'static Value {
    &PROPERTY
}

/// A property whose name is said outside of it.
pub(crate) fn nameless_property() -> &'static Value {
    &NAMELESS_PROPERTY
}

/// An association with a type of resources.
pub(crate) fn resource_type() -> &'static Value {
    &RESOURCE_TYPE
}

/// A tag.
pub(crate) fn tag() -> &'static Value {
    &TAG
}

/// Tags to add.
pub(crate) fn new_tags() -> &'static Value {
    &NEW_TAGS
}

fn with_definitions(mut schema: Value) -> Value {
    schema["definitions"] = DEFINITIONS.clone();
    schema
}

/// A property on its own has the keywords that it has within a namespace, and no others.
fn property_with(required: &[&str]) -> Value {
    let mut definitions = DEFINITIONS.clone();
    let property = definitions["property"]["additionalProperties"]["properties"].take();
    if let Some(definitions) = definitions.as_object_mut() {
        definitions.remove("property");
    }
    definitions["stringArray"]["minItems"] = json!(1);
    json!({
        "name": "property",
        "properties": property,
        "additionalProperties": false,
        "definitions": definitions,
        "required": required,
    })
}

/// References are to the top of a document, so that is where the definitions go.
fn page(name: &str, item: &Value) -> Value {
    let mut item = item.clone();
    let definitions = item.as_object_mut().and_then(|item| item.remove("definitions"));
    let mut schema = super::page(name, &item);
    if let Some(definitions) = definitions {
        schema["definitions"] = definitions;
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_is_to_a_definition_of_its_document() {
        fn check(document: &Value, value: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref") {
                        let pointer = reference.as_str().unwrap().trim_start_matches('#');
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    fields.values().for_each(|value| check(document, value));
                }
                Value::Array(items) => items.iter().for_each(|value| check(document, value)),
                _ => {}
            }
        }
        for (_, schema) in SERVED {
            check(schema, schema);
        }
    }

    #[test]
    fn only_a_property_on_its_own_says_its_name() {
        assert_eq!(property()["required"], json!(["type", "title", "name"]));
        let listed = &PROPERTIES["properties"]["properties"]["additionalProperties"];
        assert_eq!(listed["required"], json!(["type", "title"]));
    }
}
