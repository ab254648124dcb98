//! `[oslo_limit]`: where Keystone is, who asks, and which endpoint limits belong to.

use std::path::PathBuf;
use std::time::Duration;

use config::{Config, Section};
use serde_json::{Value, json};

use crate::keystone::first;

/// How long Keystone may take when `timeout` does not say.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What `[oslo_limit]` says. Has no `Debug`: it holds a password.
#[derive(Clone)]
pub struct Settings {
    /// `auth_url`, up to and with `/v3`.
    pub(super) url: String,
    /// The body of the request for a token.
    pub(super) login: Value,
    /// `endpoint_id`.
    pub(super) endpoint_id: Option<String>,
    /// `endpoint_service_type`.
    pub(super) service_type: Option<String>,
    /// `endpoint_service_name`.
    pub(super) service_name: Option<String>,
    /// `endpoint_region_name`.
    pub(super) region: Option<String>,
    /// `endpoint_interface`.
    pub(super) interface: String,
    /// `cafile`.
    pub(super) cafile: Option<PathBuf>,
    /// `insecure`.
    pub(super) insecure: bool,
    /// `timeout`.
    pub(super) timeout: Duration,
}

impl Settings {
    /// Reads them. Errors: an option that is missing or of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.section("oslo_limit");
        let interface: String = options.or("endpoint_interface", "public".to_owned())?;
        Ok(Self {
            url: url(&options)?,
            login: login(&options)?,
            endpoint_id: options.get("endpoint_id")?,
            service_type: options.get("endpoint_service_type")?,
            service_name: options.get("endpoint_service_name")?,
            region: options.get("endpoint_region_name")?,
            interface: interface.trim_end_matches("URL").to_owned(),
            cafile: options.get("cafile")?,
            insecure: options.or("insecure", false)?,
            timeout: options.or("timeout", PATIENCE)?,
        })
    }
}

fn url(options: &Section<'_>) -> config::Result<String> {
    let url: String = options.required("auth_url")?;
    let url = url.trim_end_matches('/');
    Ok(if url.ends_with("/v3") { url.to_owned() } else { format!("{url}/v3") })
}

/// The password method, which is what services use.
fn login(options: &Section<'_>) -> config::Result<Value> {
    let kind: String = options.or("auth_type", "password".to_owned())?;
    if !["password", "v3password"].contains(&kind.as_str()) {
        return Err(options.wrong("auth_type", "expected password"));
    }
    let password: String = options.required("password")?;
    let mut user = named(options, &["user_id"], &["username", "user_name"], "user_domain")?;
    if user.is_null() {
        options.required::<String>("username")?;
    }
    user["password"] = json!(password);
    let mut auth = json!({
        "identity": { "methods": ["password"], "password": { "user": user } },
    });
    let scope = scope(options)?;
    if !scope.is_null() {
        auth["scope"] = scope;
    }
    Ok(json!({ "auth": auth }))
}

/// Of the system, as oslo.limit's manual advises; else of a project or a domain.
fn scope(options: &Section<'_>) -> config::Result<Value> {
    if options.get::<String>("system_scope")?.is_some_and(|scope| scope == "all") {
        return Ok(json!({ "system": { "all": true } }));
    }
    let (ids, names) = (["project_id", "tenant_id"], ["project_name", "tenant_name"]);
    let project = named(options, &ids, &names, "project_domain")?;
    if !project.is_null() {
        return Ok(json!({ "project": project }));
    }
    match domain(options, "domain")? {
        Value::Null => Ok(Value::Null),
        domain => Ok(json!({ "domain": domain })),
    }
}

/// A user or project by its id, or by its name within a domain; null when neither is given.
fn named(options: &Section<'_>, ids: &[&str], names: &[&str], of: &str) -> config::Result<Value> {
    if let Some(id) = first(options, ids)? {
        return Ok(json!({ "id": id }));
    }
    let Some(name) = first(options, names)? else { return Ok(Value::Null) };
    match domain(options, of)? {
        Value::Null => Ok(json!({ "name": name, "domain": { "id": "default" } })),
        domain => Ok(json!({ "name": name, "domain": domain })),
    }
}

fn domain(options: &Section<'_>, of: &str) -> config::Result<Value> {
    let id: Option<String> = options.get(&format!("{of}_id"))?;
    let name: Option<String> = options.get(&format!("{of}_name"))?;
    Ok(match (id, name) {
        (Some(id), _) => json!({ "id": id }),
        (None, Some(name)) => json!({ "name": name }),
        (None, None) => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> config::Result<Settings> {
        let mut config = Config::default();
        config.add_text(&format!("[oslo_limit]\n{text}"), Path::new("glance-api.conf")).unwrap();
        Settings::from_config(&config)
    }

    const USER: &str = "auth_url = http://k:5000\nusername = glance\npassword = secret\n";

    #[test]
    fn keystone_is_found_with_and_without_its_version() {
        for url in ["http://k:5000", "http://k:5000/", "http://k:5000/v3"] {
            let options = format!("auth_url = {url}\nuser_id = u\npassword = p\n");
            assert_eq!(read(&options).unwrap().url, "http://k:5000/v3");
        }
    }

    #[test]
    fn older_names_of_options_count() {
        let text =
            "[oslo_limit]\nauth_url = http://k\nuser_name = u\npassword = p\ntenant_name = t\n";
        let login = read(text).unwrap().login;
        assert_eq!(login["auth"]["identity"]["password"]["user"]["name"], "u");
        assert_eq!(login["auth"]["scope"]["project"]["name"], "t");
        let login = read(&format!("{USER}tenant_id = t\n")).unwrap().login;
        assert_eq!(login["auth"]["scope"]["project"]["id"], "t");
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |text: &str| read(text).err().unwrap().to_string();
        assert!(missing("username = u\npassword = p\n").contains("auth_url"));
        assert!(missing("auth_url = http://k\npassword = p\n").contains("username"));
        assert!(missing(&format!("{USER}auth_type = v3token\n")).contains("auth_type"));
    }
}
