//! One section, and its options as what they are.

use crate::substitute::substitute;
use crate::{Config, Error, Given, Result, Value};

/// One section of a [`Config`]. Reading an option marks it as known, whether it is given or not.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    config: &'a Config,
    name: &'a str,
}

impl<'a> Section<'a> {
    pub(crate) fn new(config: &'a Config, name: &'a str) -> Self {
        Self { config, name }
    }

    /// The section's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// An option; `None` when no file gives it, or gives it no value. Errors: `Value`, with its
    /// place.
    pub fn get<T: Value>(&self, option: &str) -> Result<Option<T>> {
        let given = self.config.given(self.name, option).and_then(<[_]>::last);
        given.map_or(Ok(None), |given| self.value(option, given))
    }

    /// An option, or its default. Errors: `Value`.
    pub fn or<T: Value>(&self, option: &str, default: T) -> Result<T> {
        Ok(self.get(option)?.unwrap_or(default))
    }

    /// An option that has no default. Errors: `Missing`, `Value`.
    pub fn required<T: Value>(&self, option: &str) -> Result<T> {
        self.get(option)?.ok_or_else(|| Error::Missing {
            section: self.name.to_owned(),
            option: option.to_owned(),
        })
    }

    /// Every time that an option is given, in order: oslo.config's `MultiStrOpt`.
    pub fn all<T: Value>(&self, option: &str) -> Result<Vec<T>> {
        let given = self.config.given(self.name, option).unwrap_or_default();
        given.iter().filter_map(|given| self.value(option, given).transpose()).collect()
    }

    /// Whether a file gives the option, be it without a value.
    pub fn is_given(&self, option: &str) -> bool {
        self.config.given(self.name, option).is_some()
    }

    /// The error for an option whose value is of the right kind and still can't be: `expected` says
    /// what could, as "expected one of a, b". Errors itself with `Missing` when it isn't given.
    pub fn wrong(&self, option: &str, expected: impl Into<String>) -> Error {
        let (section, option) = (self.name.to_owned(), option.to_owned());
        match self.config.given(self.name, &option).and_then(<[_]>::last) {
            Some(Given { place, .. }) => {
                Error::Value { place: place.clone(), section, option, expected: expected.into() }
            }
            None => Error::Missing { section, option },
        }
    }

    fn value<T: Value>(&self, option: &str, given: &Given) -> Result<Option<T>> {
        let text = substitute(self.config, self.name, &given.value);
        if T::EMPTY_IS_NONE && text.is_empty() {
            return Ok(None);
        }
        let value = T::parse(&text).ok_or_else(|| Error::Value {
            place: given.place.clone(),
            section: self.name.to_owned(),
            option: option.to_owned(),
            expected: format!("expected {}", T::KIND),
        });
        value.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn an_option_without_a_value_is_not_given_but_where_that_is_one() {
        let mut config = Config::default();
        let text = "text =\npath = \nnumber =\nlist =\nbool =\nquoted = \"\"\n";
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        let options = config.default_section();
        assert_eq!(options.get::<String>("text").unwrap(), None);
        assert_eq!(options.get::<String>("quoted").unwrap(), None);
        assert_eq!(options.get::<PathBuf>("path").unwrap(), None);
        assert_eq!(options.or("number", 7_u32).unwrap(), 7);
        assert_eq!(options.get::<Vec<String>>("list").unwrap(), Some(Vec::new()));
        assert!(options.get::<bool>("bool").is_err());
        assert!(options.required::<String>("text").is_err());
        assert!(options.all::<PathBuf>("path").unwrap().is_empty());
        assert!(options.is_given("text") && !options.is_given("other"));
    }
}
