//! Who we are to Keystone: the options of keystoneauth's plugins `password` and
//! `v3applicationcredential`.

use std::fmt;

use config::{Result, Section};
use serde_json::{Value, json};

/// A login.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The body of `POST /v3/auth/tokens`.
    pub(super) body: Value,
    /// Whose, for messages.
    pub(super) whose: String,
}

/// The secrets stay out.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.whose)
    }
}

impl Credentials {
    /// A password's, for a project of the default domain.
    pub fn password(user: &str, password: &str, project: &str) -> Self {
        let domain = json!({"id": "default"});
        let user_object = json!({"name": user, "domain": domain, "password": password});
        let project = json!({"name": project, "domain": domain});
        Self::with_password(user_object, user, Some(json!({"project": project})))
    }

    pub(super) fn from_config(options: &Section<'_>) -> Result<Self> {
        let kind = first(options, &["auth_type", "auth_plugin"])?;
        match kind.as_deref().unwrap_or("password") {
            "password" | "v3password" => password(options),
            "v3applicationcredential" => application_credential(options),
            _ => Err(options.wrong("auth_type", "expected password or v3applicationcredential")),
        }
    }

    fn with_password(user: Value, whose: &str, scope: Option<Value>) -> Self {
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let mut auth = json!({"identity": identity});
        if let Some(scope) = scope {
            auth["scope"] = scope;
        }
        Self { body: json!({"auth": auth}), whose: whose.to_owned() }
    }
}

fn password(options: &Section<'_>) -> Result<Credentials> {
    let (mut user, whose) = user(options)?;
    user["password"] = options.required::<String>("password")?.into();
    Ok(Credentials::with_password(user, &whose, scope(options)?))
}

fn application_credential(options: &Section<'_>) -> Result<Credentials> {
    let secret: String = options.required("application_credential_secret")?;
    let (mut credential, whose) = match options.get::<String>("application_credential_id")? {
        Some(id) => (json!({"id": id}), format!("application credential {id}")),
        None => {
            let name: String = options.required("application_credential_name")?;
            let (user, whose) = user(options)?;
            (
                json!({"name": name, "user": user}),
                format!("application credential {name} of {whose}"),
            )
        }
    };
    credential["secret"] = secret.into();
    let identity =
        json!({"methods": ["application_credential"], "application_credential": credential});
    Ok(Credentials { body: json!({"auth": {"identity": identity}}), whose })
}

/// The user, and its name or id.
fn user(options: &Section<'_>) -> Result<(Value, String)> {
    if let Some(id) = options.get::<String>("user_id")? {
        return Ok((json!({"id": id}), id));
    }
    let name = match first(options, &["username", "user_name"])? {
        Some(name) => name,
        None => options.required("username")?,
    };
    let user = json!({"name": name, "domain": domain(options, "user_domain")?});
    Ok((user, name))
}

fn scope(options: &Section<'_>) -> Result<Option<Value>> {
    if let Some(id) = first(options, &["project_id", "tenant_id"])? {
        return Ok(Some(json!({"project": {"id": id}})));
    }
    if let Some(name) = first(options, &["project_name", "tenant_name"])? {
        let domain = domain(options, "project_domain")?;
        return Ok(Some(json!({"project": {"name": name, "domain": domain}})));
    }
    if options.get::<String>("system_scope")?.is_some_and(|scope| scope == "all") {
        return Ok(Some(json!({"system": {"all": true}})));
    }
    let named = [("domain_id", "id"), ("domain_name", "name")];
    for (option, key) in named {
        if let Some(value) = options.get::<String>(option)? {
            return Ok(Some(json!({"domain": {key: value}})));
        }
    }
    Ok(None)
}

/// `{prefix}_id` or `{prefix}_name`, else the same of `default_domain`.
fn domain(options: &Section<'_>, prefix: &str) -> Result<Value> {
    for prefix in [prefix, "default_domain"] {
        for key in ["id", "name"] {
            if let Some(value) = options.get::<String>(&format!("{prefix}_{key}"))? {
                return Ok(json!({key: value}));
            }
        }
    }
    Ok(json!({"name": options.required::<String>(&format!("{prefix}_name"))?}))
}

/// The first of an option's names that is given: older ones still count.
pub(crate) fn first(options: &Section<'_>, names: &[&str]) -> Result<Option<String>> {
    names.iter().find_map(|name| options.get(name).transpose()).transpose()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::Config;

    use super::*;

    /// What comes of options that are there: the tests of `keystone`.
    fn read(text: &str) -> std::result::Result<Credentials, String> {
        let mut config = Config::default();
        config.add_text(&format!("[k]\n{text}"), Path::new("g.conf")).unwrap();
        Credentials::from_config(&config.section("k")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("password=x", "no configuration file sets username in [k]"),
            ("username=x\npassword=x", "sets user_domain_name"),
            ("username=x\nuser_domain_id=d", "sets password"),
            ("username=x\nuser_domain_id=d\npassword=", "sets password"),
            ("auth_type=v3kerberos", "[k] auth_type: expected password or v3applicationcredential"),
            ("auth_type=v3applicationcredential", "sets application_credential_secret"),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_older_name_of_the_type_counts_and_the_newer_one_more() {
        let credential = "application_credential_id=i\napplication_credential_secret=s\n";
        let older =
            format!("[keystone_authtoken]\nauth_plugin = v3applicationcredential\n{credential}");
        for (text, method) in [
            (older.clone(), "application_credential"),
            (format!("{older}auth_type=password\nuser_id=u\npassword=p\n"), "password"),
        ] {
            let mut config = Config::default();
            config.add_text(&text, Path::new("g.conf")).unwrap();
            let read = Credentials::from_config(&config.section("keystone_authtoken")).unwrap();
            assert_eq!(read.body["auth"]["identity"]["methods"], json!([method]), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", Credentials::password("glance", "secret", "service"));
        assert_eq!(shown, "Credentials(glance)");
    }
}
