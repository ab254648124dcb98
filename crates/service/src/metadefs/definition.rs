//! The normal form of a property's definition: the keywords that there are, each with a value of
//! its kind, as Glance's `PropertyType` model holds them.

use catalog::metadefs::Definition;
use serde_json::{Map, Value};

/// What a keyword's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    /// A whole number; a fraction is cut off.
    Whole,
    Truth,
    /// Anything, kept as text.
    Default,
    /// What the items of an array are.
    Items,
}

const KEYWORDS: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("type", Kind::Text),
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("operators", Kind::Texts),
    ("default", Kind::Default),
    ("readonly", Kind::Truth),
    ("minimum", Kind::Whole),
    ("maximum", Kind::Whole),
    ("enum", Kind::Texts),
    ("pattern", Kind::Text),
    ("minLength", Kind::Whole),
    ("maxLength", Kind::Whole),
    ("confidential", Kind::Truth),
    ("items", Kind::Items),
    ("uniqueItems", Kind::Truth),
    ("minItems", Kind::Whole),
    ("maxItems", Kind::Whole),
    ("additionalItems", Kind::Truth),
];

const ITEM_KEYWORDS: &[(&str, Kind)] = &[("type", Kind::Text), ("enum", Kind::Texts)];

/// The definition in its normal form. Errors: an unknown keyword, or a value of another kind.
pub(crate) fn normal(definition: &Map<String, Value>) -> Result<Definition, String> {
    let definition = of(definition, KEYWORDS)?;
    for mandatory in ["type", "title"] {
        if !definition.contains_key(mandatory) {
            return Err(format!("'{mandatory}' is a required property"));
        }
    }
    Ok(definition)
}

/// The definition in its normal form, or as it is: an operator's files may hold what no request may.
pub(crate) fn shown(definition: &Definition) -> Definition {
    of(definition, KEYWORDS).unwrap_or_else(|_| definition.clone())
}

fn of(from: &Map<String, Value>, keywords: &[(&str, Kind)]) -> Result<Definition, String> {
    let mut to = Definition::new();
    for (name, value) in from {
        let known = keywords.iter().find(|(known, _)| known == name);
        let (_, kind) = known.ok_or_else(|| format!("Unknown attribute: {name}"))?;
        let value = value_of(*kind, value);
        to.insert(name.clone(), value.ok_or_else(|| format!("Invalid value of {name}"))?);
    }
    Ok(to)
}

fn value_of(kind: Kind, value: &Value) -> Option<Value> {
    match kind {
        Kind::Text => value.is_string().then(|| value.clone()),
        Kind::Texts => value.as_array()?.iter().all(Value::is_string).then(|| value.clone()),
        Kind::Truth => value.is_boolean().then(|| value.clone()),
        Kind::Whole => whole(value),
        Kind::Default => Some(default(value)),
        Kind::Items => {
            let items = of(value.as_object()?, ITEM_KEYWORDS).ok()?;
            items.contains_key("type").then(|| items.into())
        }
    }
}

fn whole(value: &Value) -> Option<Value> {
    if value.is_i64() || value.is_u64() {
        return Some(value.clone());
    }
    // `as` stops at the largest whole number that fits.
    value.as_f64().map(|number| Value::from(number.trunc() as i64))
}

/// Booleans in Python's spelling, which is what clients of Glance know; of lists and objects there
/// is no text.
fn default(value: &Value) -> Value {
    match value {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string().into(),
        Value::String(text) => text.as_str().into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_take_the_form_that_glance_gives_them() {
        let cases = [
            ("default", json!(true), json!("True")),
            ("default", json!(7), json!("7")),
            ("default", json!(1.0), json!("1.0")),
            ("default", json!([1]), json!(null)),
            ("minimum", json!(1.9), json!(1)),
            ("minimum", json!(-1.9), json!(-1)),
            ("maximum", json!(u64::MAX), json!(u64::MAX)),
            ("enum", json!(["a"]), json!(["a"])),
        ];
        for (keyword, given, expected) in cases {
            let definition = json!({ "type": "string", "title": "P", keyword: given });
            let normal = normal(definition.as_object().unwrap()).unwrap();
            assert_eq!(normal[keyword], expected, "{keyword}");
        }
    }

    #[test]
    fn what_no_request_may_say_is_shown_where_a_file_said_it() {
        let definition = json!({ "type": "integer", "title": "P", "enum": [1, 2] });
        let definition = definition.as_object().unwrap();
        assert!(normal(definition).is_err());
        assert_eq!(&shown(definition), definition);
    }
}
