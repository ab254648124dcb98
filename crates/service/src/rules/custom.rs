//! `schema-image.json`: what an operator says of custom properties. It is looked for where the
//! configuration is, and its properties are shown in the schema of images and held to.
//!
//! The file is an object of JSON schemas by property, or has it under `properties`, with the names
//! of those that every new image must have under `required`. Of JSON Schema, what matters to
//! strings is held to: `enum`, `pattern`, `minLength` and `maxLength`; custom properties are
//! strings.

use std::path::PathBuf;

use regex::Regex;
use serde_json::{Map, Value};
use thiserror::Error;

const FILE: &str = "schema-image.json";

/// A `schema-image.json` that can't be used.
#[derive(Debug, Error)]
#[error("{}: {why}", file.display())]
pub struct BadSchema {
    file: PathBuf,
    why: String,
}

/// What is said of custom properties.
#[derive(Debug, Clone, Default)]
pub struct Custom {
    pub(crate) properties: Map<String, Value>,
    pub(crate) required: Vec<String>,
    patterns: Vec<(String, Regex)>,
}

impl Custom {
    /// Reads the first file of that name in `folders`; where there is none, nothing is said.
    /// Errors: a file that can't be read.
    pub fn find(folders: &[PathBuf]) -> Result<Self, BadSchema> {
        let mut files = folders.iter().map(|folder| folder.join(FILE));
        let Some(file) = files.find(|file| file.is_file()) else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        let read = text.and_then(|text| Self::parse(&text));
        read.map_err(|why| BadSchema { file, why })
    }

    /// What the text of such a file says.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut whole: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let required = whole.get("required").cloned();
        let (properties, required) = match whole.remove("properties") {
            Some(Value::Object(properties)) => (properties, required.unwrap_or_default()),
            Some(_) => return Err("'properties' is no object".to_owned()),
            None => (whole, Value::Null),
        };
        let names = required.as_array().into_iter().flatten();
        let required = names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        let patterns = patterns(&properties)?;
        Ok(Self { properties, required, patterns })
    }

    /// What is wrong with the value of a property.
    pub(crate) fn complaint(&self, name: &str, value: &str) -> Option<String> {
        let schema = self.properties.get(name)?;
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        let length = value.chars().count() as u64;
        let choices = schema.get("enum").and_then(Value::as_array);
        if choices.is_some_and(|choices| !choices.iter().any(|choice| choice == value)) {
            return Some(format!("'{value}' is not one of {}", schema["enum"]));
        }
        if bound("minLength").is_some_and(|least| length < least) {
            return Some(format!("'{value}' is too short"));
        }
        if bound("maxLength").is_some_and(|most| length > most) {
            return Some(format!("'{value}' is too long"));
        }
        let pattern = self.patterns.iter().find(|(of, _)| of == name).map(|(_, pattern)| pattern);
        let unlike = pattern.filter(|pattern| !pattern.is_match(value));
        unlike.map(|pattern| format!("'{value}' does not match '{pattern}'"))
    }
}

fn patterns(properties: &Map<String, Value>) -> Result<Vec<(String, Regex)>, String> {
    let given = properties
        .iter()
        .filter_map(|(name, schema)| Some((name, schema.get("pattern")?.as_str()?)));
    given
        .map(|(name, pattern)| match Regex::new(pattern) {
            Ok(pattern) => Ok((name.clone(), pattern)),
            Err(error) => Err(format!("the pattern of '{name}': {error}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_held_to_what_is_said_of_them() {
        let text = r#"{"a": {"enum": ["x", "y"]}, "b": {"minLength": 2, "maxLength": 3},
                       "c": {"pattern": "^[0-9]+$"}}"#;
        let custom = Custom::parse(text).unwrap();
        let cases = [
            ("a", "x", true),
            ("a", "z", false),
            ("b", "é", false),
            ("b", "éé", true),
            ("b", "four", false),
            ("c", "12", true),
            ("c", "1x", false),
            ("d", "anything", true),
        ];
        for (name, value, good) in cases {
            assert_eq!(custom.complaint(name, value).is_none(), good, "{name} = {value}");
        }
    }

    #[test]
    fn both_forms_of_the_file_are_read() {
        let text = r#"{"properties": {"a": {"type": "string"}}, "required": ["a"]}"#;
        let custom = Custom::parse(text).unwrap();
        assert!(custom.properties.contains_key("a"));
        assert_eq!(custom.required, ["a"]);
        assert!(Custom::parse("[]").is_err());
        assert!(Custom::parse(r#"{"a": {"pattern": "("}}"#).is_err());
    }
}
