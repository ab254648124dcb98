//! The fields of something that is created or updated.

use serde_json::{Map, Value};

use crate::builtin::error::Problem;

/// Fields not yet taken. Missing and `null` are two things: an update leaves or clears.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// A text that may be missing but not empty, of at most `max` characters.
    pub(super) fn name(&mut self, key: &str, max: usize) -> Result<Option<String>, Problem> {
        let name = match self.0.remove(key) {
            None => return Ok(None),
            Some(Value::String(name)) => name,
            Some(_) => return Err(Problem::field(key, "it is not of type 'string'")),
        };
        match name.chars().count() {
            0 => Err(Problem::field(key, "it is too short")),
            count if count > max => Err(Problem::field(key, "it is too long")),
            _ if name.trim().is_empty() => Err(Problem::field(key, "it is blank")),
            _ => Ok(Some(name)),
        }
    }

    /// A text that may be missing (outer) or `null` (inner).
    pub(super) fn text(&mut self, key: &str) -> Result<Option<Option<String>>, Problem> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(text))),
            Some(_) => Err(Problem::field(key, "it is not of type 'string', 'null'")),
        }
    }

    /// True or false, if given.
    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, Problem> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Problem::field(key, "it is not of type 'boolean'")),
        }
    }

    /// A list of texts, if given.
    pub(super) fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, Problem> {
        let wrong = || Problem::field(key, "it is not a list of strings");
        match self.0.remove(key) {
            None => Ok(None),
            Some(value) => serde_json::from_value(value).map(Some).map_err(|_| wrong()),
        }
    }

    /// Drops fields that say nothing here: those that answers add.
    pub(super) fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.0.remove(*key);
        }
    }

    /// A field that may be given but not changed.
    pub(super) fn unchanged(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        match self.0.remove(key) {
            None | Some(Value::Null) => Ok(()),
            Some(given) if given == value => Ok(()),
            Some(_) => Err(Problem::field(key, "it cannot be changed")),
        }
    }

    /// What clients made up themselves, added to what they made up before. `null` takes away.
    pub(super) fn merged_into(self, mut before: Map<String, Value>) -> Map<String, Value> {
        before.extend(self.0);
        before.retain(|_, value| !value.is_null());
        before
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn names_have_a_length() {
        for (name, ok) in [(json!("a"), true), (json!(""), false), (json!("  "), false)]
            .into_iter()
            .chain([(json!("aaaa"), false), (json!(null), false), (json!(7), false)])
        {
            assert_eq!(fields(json!({"name": name})).name("name", 3).is_ok(), ok, "{name}");
        }
        assert_eq!(fields(json!({})).name("name", 3).unwrap(), None);
    }

    #[test]
    fn missing_and_null_are_two_things() {
        assert_eq!(fields(json!({})).text("x").unwrap(), None);
        assert_eq!(fields(json!({"x": null})).text("x").unwrap(), Some(None));
        assert_eq!(fields(json!({"x": "y"})).text("x").unwrap(), Some(Some("y".to_owned())));
        assert!(fields(json!({"x": []})).text("x").is_err());
    }

    #[test]
    fn null_takes_away_what_was_made_up() {
        let before = Map::from_iter([("colour".to_owned(), json!("red"))]);
        assert!(fields(json!({"colour": null})).merged_into(before).is_empty());
    }

    #[test]
    fn what_is_not_taken_is_left() {
        let mut fields = fields(json!({"enabled": true, "links": {}, "colour": "red"}));
        assert_eq!(fields.flag("enabled").unwrap(), Some(true));
        fields.ignore(&["links"]);
        let merged = fields.merged_into(Map::from_iter([("size".to_owned(), json!(7))]));
        assert_eq!(Value::Object(merged), json!({"colour": "red", "size": 7}));
    }
}
