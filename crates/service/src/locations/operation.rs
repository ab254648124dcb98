//! The operations of a patch that concern locations.

use serde_json::{Map, Value};

use crate::error::{ApiError, Result};
use crate::patch;

/// One operation on an image's locations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// One more, at a place of the list.
    Add { place: String, value: Value },
    /// All of them.
    Replace { values: Vec<Value> },
    /// One less.
    Remove { place: String },
}

/// Takes the operations on locations out of a patch; the others stay, in order.
pub(crate) fn split(body: Value, dialect: &str) -> Result<(Value, Vec<Operation>)> {
    let Value::Array(all) = body else { return Ok((body, Vec::new())) };
    let mut others = Vec::new();
    let mut operations = Vec::new();
    for operation in all {
        let parsed = operation.as_object().and_then(|fields| of_locations(fields, dialect));
        match parsed {
            Some(found) => operations.push(found?),
            None => others.push(operation),
        }
    }
    Ok((Value::Array(others), operations))
}

/// `None` when it concerns something else, or is no operation at all.
fn of_locations(fields: &Map<String, Value>, dialect: &str) -> Option<Result<Operation>> {
    let (operation, path) = patch::parse(fields, dialect).ok()?;
    let rest = path.strip_prefix("/locations")?;
    let place = match rest.strip_prefix('/') {
        None if rest.is_empty() => None,
        None => return None,
        Some(place) => Some(place),
    };
    Some(parse(operation, path, place, fields.get("value")))
}

fn parse(
    operation: patch::Operation,
    path: &str,
    place: Option<&str>,
    value: Option<&Value>,
) -> Result<Operation> {
    let pointer =
        || ApiError::bad_request(format!("Invalid JSON pointer for this resource: '{path}'"));
    let place = match place {
        Some(place) if place.is_empty() || place.contains('/') => return Err(pointer()),
        place => place.map(str::to_owned),
    };
    let value = || {
        let value = value.cloned();
        value.ok_or_else(|| ApiError::bad_request("Operation objects must contain a 'value'."))
    };
    match (operation, place) {
        (patch::Operation::Add, Some(place)) => Ok(Operation::Add { place, value: value()? }),
        (patch::Operation::Remove, Some(place)) => Ok(Operation::Remove { place }),
        (patch::Operation::Replace, None) => match value()? {
            Value::Array(values) => Ok(Operation::Replace { values }),
            other => Err(ApiError::bad_request(format!(
                "Provided object does not match schema 'image': {other} is not of type 'array'."
            ))),
        },
        _ => Err(pointer()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_operations_stay_in_order() {
        let body = json!([
            {"op": "add", "path": "/locations/-", "value": {"url": "x"}},
            {"op": "add", "path": "/locations_of", "value": "x"},
            {"op": "remove", "path": "/locations/0"},
            {"path": "/locations"},
            "x",
        ]);
        let (others, operations) = split(body.clone(), patch::V21).unwrap();
        assert_eq!(others, json!([body[1], body[3], body[4]]));
        let add = Operation::Add { place: "-".into(), value: json!({"url": "x"}) };
        assert_eq!(operations, [add, Operation::Remove { place: "0".into() }]);
        let older = json!([{"replace": "/locations", "value": []}]);
        assert_eq!(split(older, patch::V20).unwrap().1, [Operation::Replace { values: vec![] }]);
    }

    #[test]
    fn paths_have_the_depth_of_their_operation() {
        for (op, path) in [
            ("add", "/locations"),
            ("add", "/locations/"),
            ("add", "/locations/0/url"),
            ("remove", "/locations"),
            ("replace", "/locations/0"),
        ] {
            let body = json!([{"op": op, "path": path, "value": []}]);
            assert!(split(body, patch::V21).is_err(), "{op} {path}");
        }
    }
}
