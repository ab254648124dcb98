//! Checks a value against a JSON schema, as far as the schemas that the API serves go: they are
//! documents for clients, and the law for requests. Keywords that only describe are passed over,
//! `format` among them, as in Glance.
//!
//! Source: "JSON Schema: A Vocabulary for Structural Validation of JSON", 2020-12.

use serde_json::{Map, Value};

/// What a value breaks of its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    /// How deep in the value it is.
    depth: usize,
    message: String,
}

/// Where the check is.
#[derive(Clone, Copy)]
struct At<'a> {
    /// The document that references are to.
    document: &'a Value,
    /// The value that is checked.
    value: &'a Value,
    depth: usize,
}

/// A keyword's check: its own value, and the schema that it stands in.
type Check = for<'a> fn(At<'a>, &'a Value, &'a Map<String, Value>, &mut Vec<Violation>);

const KEYWORDS: &[(&str, Check)] = &[
    ("$ref", reference),
    ("allOf", all_of),
    ("type", kind),
    ("enum", one_of_these),
    ("maxLength", max_length),
    ("minimum", minimum),
    ("required", required),
    ("properties", properties),
    ("additionalProperties", additional_properties),
    ("items", items),
    ("minItems", min_items),
    ("uniqueItems", unique_items),
];

/// Refuses what the schema doesn't allow, with the fault that is nearest to the top of the value.
pub(crate) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let mut found = Vec::new();
    at(At { document: schema, value, depth: 0 }, schema, &mut found);
    match found.into_iter().min_by_key(|violation| violation.depth) {
        None => Ok(()),
        Some(violation) => {
            let name = schema.get("name").and_then(Value::as_str).unwrap_or_default();
            let message = violation.message;
            Err(format!("Provided object does not match schema '{name}': {message}"))
        }
    }
}

fn at(at: At<'_>, schema: &Value, found: &mut Vec<Violation>) {
    let Some(schema) = schema.as_object() else { return };
    for (name, check) in KEYWORDS {
        if let Some(keyword) = schema.get(*name) {
            check(at, keyword, schema, found);
        }
    }
}

impl At<'_> {
    fn violation(&self, message: String) -> Violation {
        Violation { depth: self.depth, message }
    }
}

fn reference(here: At<'_>, to: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let pointer = to.as_str().and_then(|to| to.strip_prefix('#'));
    if let Some(schema) = pointer.and_then(|pointer| here.document.pointer(pointer)) {
        at(here, schema, found);
    }
}

fn all_of(here: At<'_>, all: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    all.as_array().into_iter().flatten().for_each(|schema| at(here, schema, found));
}

fn kind(here: At<'_>, kind: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let kind = kind.as_str().unwrap_or_default();
    if !is_of(here.value, kind) {
        found.push(here.violation(format!("{} is not of type '{kind}'", here.value)));
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => value.is_null(),
    }
}

fn one_of_these(here: At<'_>, these: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    if these.as_array().is_some_and(|these| !these.contains(here.value)) {
        found.push(here.violation(format!("{} is not one of {these}", here.value)));
    }
}

fn max_length(here: At<'_>, most: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let length = here.value.as_str().map_or(0, |text| text.chars().count());
    if most.as_u64().is_some_and(|most| length as u64 > most) {
        found.push(here.violation(format!("{} is too long", here.value)));
    }
}

fn minimum(here: At<'_>, least: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let (number, least) = (here.value.as_f64(), least.as_f64());
    if let (Some(number), Some(least)) = (number, least)
        && number < least
    {
        found.push(here.violation(format!("{number} is less than the minimum of {least}")));
    }
}

fn required(here: At<'_>, names: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let Some(fields) = here.value.as_object() else { return };
    for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            found.push(here.violation(format!("'{name}' is a required property")));
        }
    }
}

fn properties(here: At<'_>, known: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let (Some(fields), Some(known)) = (here.value.as_object(), known.as_object()) else { return };
    for (name, value) in fields {
        if let Some(schema) = known.get(name) {
            at(At { value, depth: here.depth + 1, ..here }, schema, found);
        }
    }
}

fn additional_properties(
    here: At<'_>,
    rule: &Value,
    schema: &Map<String, Value>,
    found: &mut Vec<Violation>,
) {
    let known = schema.get("properties").and_then(Value::as_object);
    let is_known = |name: &str| known.is_some_and(|known| known.contains_key(name));
    let fields = here.value.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !is_known(name)) {
        match rule {
            Value::Bool(false) => found.push(here.violation(format!(
                "Additional properties are not allowed ('{name}' was unexpected)"
            ))),
            schema => at(At { value, depth: here.depth + 1, ..here }, schema, found),
        }
    }
}

fn items(here: At<'_>, schema: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    for value in here.value.as_array().into_iter().flatten() {
        at(At { value, depth: here.depth + 1, ..here }, schema, found);
    }
}

fn min_items(here: At<'_>, least: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let (items, least) = (here.value.as_array(), least.as_u64());
    if let (Some(items), Some(least)) = (items, least)
        && (items.len() as u64) < least
    {
        found.push(here.violation(format!("{} should have at least {least} items", here.value)));
    }
}

fn unique_items(here: At<'_>, unique: &Value, _: &Map<String, Value>, found: &mut Vec<Violation>) {
    let Some(items) = here.value.as_array() else { return };
    let texts: std::collections::HashSet<_> = items.iter().map(Value::to_string).collect();
    if unique == &Value::Bool(true) && texts.len() < items.len() {
        found.push(here.violation(format!("{} has non-unique elements", here.value)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schemas::metadefs;

    fn property(keyword: &str, value: Value) -> Result<(), String> {
        let mut property = json!({ "name": "p", "type": "string", "title": "P" });
        property[keyword] = value;
        check(metadefs::property(), &property)
    }

    #[test]
    fn what_a_property_may_say_is_accepted() {
        let good = [
            ("description", json!("words")),
            ("operators", json!(["<in>"])),
            ("minimum", json!(-1.5)),
            ("maxLength", json!(0)),
            ("minLength", json!(3.0)),
            ("enum", json!([])),
            ("readonly", json!(true)),
            ("default", json!([1])),
            ("items", json!({ "type": "string", "enum": ["a"] })),
            ("name", json!("n".repeat(80))),
        ];
        for (keyword, value) in good {
            assert_eq!(property(keyword, value), Ok(()), "{keyword}");
        }
    }

    #[test]
    fn what_it_may_not_say_is_refused() {
        let bad = [
            ("description", json!(7)),
            ("operators", json!("x")),
            ("minimum", json!("1")),
            ("maxLength", json!(-1)),
            ("minLength", json!(1.5)),
            ("minItems", json!(true)),
            ("enum", json!({})),
            ("readonly", json!("true")),
            ("items", json!({ "type": "text" })),
            ("type", json!(null)),
            ("name", json!("n".repeat(81))),
            ("required", json!([])),
            ("required", json!(["a", "a"])),
            ("color", json!("blue")),
        ];
        for (keyword, value) in bad {
            assert!(property(keyword, value).is_err(), "{keyword}");
        }
    }

    #[test]
    fn the_fault_nearest_to_the_top_is_told() {
        let body = json!({ "display_name": 7, "properties": { "p": { "type": "text" } } });
        assert_eq!(
            check(metadefs::namespace(), &body).unwrap_err(),
            "Provided object does not match schema 'namespace': 'namespace' is a required property"
        );
    }
}
