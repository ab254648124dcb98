//! The body of `POST /v3/auth/tokens`.

use serde_json::{Map, Value, json};

use crate::cloud::{Domain, Named, Proof, Scope};

pub(super) fn auth_request(proof: &Proof, scope: &Scope) -> Value {
    let mut auth = Map::new();
    auth.insert("identity".to_owned(), identity(proof));
    if let Some(scope) = scope_body(scope) {
        auth.insert("scope".to_owned(), scope);
    }
    json!({ "auth": auth })
}

/// Who tries to log in, without secrets.
pub(super) fn who(proof: &Proof) -> String {
    match proof {
        Proof::Password { user, .. } => format!("user {}", name_of(user)),
        Proof::Token(_) => "a token".to_owned(),
        Proof::ApplicationCredential { id: Some(id), .. } => {
            format!("application credential {id}")
        }
        Proof::ApplicationCredential { name, .. } => {
            let name = name.as_ref().map_or("", |(name, _)| name);
            format!("application credential '{name}'")
        }
    }
}

fn name_of(named: &Named) -> String {
    match named {
        Named::Id(id) => id.clone(),
        Named::Name { name, .. } => format!("'{name}'"),
    }
}

fn identity(proof: &Proof) -> Value {
    match proof {
        Proof::Password { user, password } => {
            let mut user = reference(user);
            user["password"] = password.expose().into();
            json!({"methods": ["password"], "password": {"user": user}})
        }
        Proof::Token(token) => json!({"methods": ["token"], "token": {"id": token.expose()}}),
        Proof::ApplicationCredential { id, name, secret } => {
            let mut credential = json!({"secret": secret.expose()});
            if let Some(id) = id {
                credential["id"] = id.as_str().into();
            }
            if let Some((name, user)) = name {
                credential["name"] = name.as_str().into();
                credential["user"] = reference(user);
            }
            json!({"methods": ["application_credential"], "application_credential": credential})
        }
    }
}

fn scope_body(scope: &Scope) -> Option<Value> {
    match scope {
        Scope::Unspecified => None,
        Scope::Project(project) => Some(json!({"project": reference(project)})),
        Scope::Domain(domain) => Some(json!({"domain": domain_reference(domain)})),
        Scope::System => Some(json!({"system": {"all": true}})),
    }
}

fn reference(named: &Named) -> Value {
    match named {
        Named::Id(id) => json!({"id": id}),
        Named::Name { name, domain } => json!({"name": name, "domain": domain_reference(domain)}),
    }
}

fn domain_reference(domain: &Domain) -> Value {
    match domain {
        Domain::Id(id) => json!({"id": id}),
        Domain::Name(name) => json!({"name": name}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn a_password_and_a_project_by_name() {
        let domain = Domain::Id("default".to_owned());
        let user = Named::Name { name: "ann".to_owned(), domain: domain.clone() };
        let project = Named::Name { name: "demo".to_owned(), domain };
        let proof = Proof::Password { user, password: Secret::new("s3cret") };
        let expected = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "ann", "domain": {"id": "default"}, "password": "s3cret"}}},
            "scope": {"project": {"name": "demo", "domain": {"id": "default"}}},
        }});
        assert_eq!(auth_request(&proof, &Scope::Project(project)), expected);
        assert!(!format!("{proof:?} {}", who(&proof)).contains("s3cret"));
    }

    #[test]
    fn an_application_credential_by_name_brings_its_user_and_no_scope() {
        let proof = Proof::ApplicationCredential {
            id: None,
            name: Some(("ci".to_owned(), Named::Id("u1".to_owned()))),
            secret: Secret::new("x"),
        };
        let expected = json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"name": "ci", "user": {"id": "u1"}, "secret": "x"},
        }}});
        assert_eq!(auth_request(&proof, &Scope::Unspecified), expected);
    }
}
