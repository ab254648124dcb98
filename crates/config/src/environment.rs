//! Options in variables of the environment, which count before those of files
//! (`oslo_config/sources/_environment.py`).

use std::env;
use std::ffi::OsString;

use crate::{Config, Given, Place};

/// How the name of such a variable begins: `OS_DATABASE__CONNECTION` is `connection` of `[database]`.
const PREFIX: &str = "OS_";

impl Config {
    /// The same with what this process's environment says. A variable that is not UTF-8 says nothing.
    #[must_use]
    pub fn with_environment(self) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        self.with_variables(env::vars_os().filter_map(text))
    }

    fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            let Some((section, option)) =
                name.strip_prefix(PREFIX).and_then(|n| n.split_once("__"))
            else {
                continue;
            };
            let (section, option) = (section.to_owned(), option.to_lowercase());
            self.add(&section, &option, Given { value, place: Place::Variable(name) });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> Config {
        let mut config = Config::default();
        let text = "bind_port = 1\n[database]\nconnection = file\n";
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        config.with_variables(variables.iter().map(owned))
    }

    #[test]
    fn variables_count_before_files() {
        let config = config(&[
            ("OS_DATABASE__CONNECTION", "variable $bind_port"),
            ("OS_DEFAULT__BIND_PORT", "2"),
            ("OS_OS_GLANCE_STAGING_STORE__FILESYSTEM_STORE_DATADIR", "/srv"),
            ("OS_AUTH_URL", "a client's"),
        ]);
        let connection: Option<String> = config.section("database").get("connection").unwrap();
        assert_eq!(connection.as_deref(), Some("variable 2"));
        let staging = config.section("os_glance_staging_store");
        assert_eq!(staging.or("filesystem_store_datadir", String::new()).unwrap(), "/srv");
        assert!(config.unread().is_empty(), "{:?}", config.unread());
    }

    #[test]
    fn a_variable_with_a_wrong_value_is_named() {
        let config = config(&[("OS_DEFAULT__BIND_PORT", "many")]);
        let error = config.default_section().get::<u16>("bind_port").unwrap_err().to_string();
        assert!(error.starts_with("the variable OS_DEFAULT__BIND_PORT: "), "{error}");
    }
}
