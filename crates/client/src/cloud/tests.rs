//! What is found in which files and variables.

use std::fs;
use std::path::Path;

use super::*;
use crate::Error;

const CLOUDS: &str = "
clouds:
  prod:
    region_name: one
    interface: internal
    auth:
      auth_url: https://cloud.example:5000/v3
      username: ann
      password: 0123
      project_name: demo
      user_domain_name: people
      project-domain-id: d1
    identity_api_version: 3
    volume: {nested: [1, 2]}
  app:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://cloud.example:5000
      application_credential_id: a1
";

/// A working directory with these files, which is also the home.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn find(cloud: Option<&str>, at: &Path, variables: &[(&str, &str)]) -> Result<Cloud> {
    let home = at.to_str().unwrap();
    let variables = variables.iter().copied().chain([("HOME", home)]);
    Cloud::find(cloud, &Environment::of(variables, at))
}

fn password(cloud: &Cloud) -> (&Named, &str, &Scope) {
    match &cloud.login {
        Login::Keystone(login) => match &login.proof {
            Proof::Password { user, password } => (user, password.expose(), &login.scope),
            other => panic!("not a password: {other:?}"),
        },
        other => panic!("not Keystone: {other:?}"),
    }
}

#[test]
fn a_cloud_is_read_as_openstacksdk_reads_it() {
    let directory = directory(&[("clouds.yaml", CLOUDS)]);
    let cloud = find(Some("prod"), directory.path(), &[]).unwrap();
    let (user, password, scope) = password(&cloud);
    assert_eq!(password, "0123", "a number stays the text it was written as");
    let people = Domain::Name("people".to_owned());
    assert_eq!(user, &Named::Name { name: "ann".to_owned(), domain: people });
    let d1 = Domain::Id("d1".to_owned());
    let demo = Named::Name { name: "demo".to_owned(), domain: d1 };
    assert_eq!(scope, &Scope::Project(demo));
    assert_eq!((cloud.region.as_deref(), cloud.interface.as_str()), (Some("one"), "internal"));
}

#[test]
fn secrets_come_from_secure_yaml_or_the_environment() {
    let without = CLOUDS.replace("      password: 0123\n", "");
    let secure = "clouds: {prod: {auth: {password: from-secure}}}";
    let files = directory(&[("clouds.yaml", &without), ("secure.yaml", secure)]);
    assert_eq!(password(&find(Some("prod"), files.path(), &[]).unwrap()).1, "from-secure");

    let files = directory(&[("clouds.yaml", &without)]);
    let variables = [("OS_CLOUD", "prod"), ("OS_PASSWORD", "from-env"), ("OS_USERNAME", "bob")];
    let cloud = find(None, files.path(), &variables).unwrap();
    let (user, password, _) = password(&cloud);
    assert_eq!(password, "from-env");
    assert!(matches!(user, Named::Name { name, .. } if name == "ann"), "{user:?}");
}

#[test]
fn files_are_looked_for_in_order() {
    let named = |name: &str| {
        format!("clouds: {{c: {{auth_type: none, image_endpoint_override: 'http://{name}'}}}}")
    };
    let files = directory(&[
        ("configured.yaml", &named("configured")),
        ("clouds.yaml", &named("here")),
        (".config/openstack/clouds.yaml", &named("user")),
        (".local/state/tintype/clouds.yaml", &named("own").replace("c:", "tintype:")),
    ]);
    let configured = files.path().join("configured.yaml");
    let host = |variables: &[(&str, &str)]| {
        let cloud = find(None, files.path(), variables).unwrap();
        cloud.image_endpoint.unwrap().host_str().unwrap().to_owned()
    };
    assert_eq!(host(&[("OS_CLIENT_CONFIG_FILE", configured.to_str().unwrap())]), "configured");
    assert_eq!(host(&[]), "here");
    fs::remove_file(files.path().join("clouds.yaml")).unwrap();
    assert_eq!(host(&[]), "user");
    assert_eq!(host(&[("OS_CLOUD", "tintype")]), "own");
    fs::remove_file(files.path().join(".config/openstack/clouds.yaml")).unwrap();
    assert_eq!(host(&[]), "own");
}

#[test]
fn variables_alone_make_a_cloud() {
    let empty = directory(&[]);
    let variables = [
        ("OS_AUTH_URL", "http://k:5000"),
        ("OS_USERNAME", "ann"),
        ("OS_PASSWORD", "x"),
        ("OS_PROJECT_ID", "p1"),
        ("OS_INTERFACE", "internalURL"),
        ("OS_INSECURE", "True"),
    ];
    let cloud = find(None, empty.path(), &variables).unwrap();
    let (user, _, scope) = password(&cloud);
    let domain = Domain::Id("default".to_owned());
    assert_eq!(user, &Named::Name { name: "ann".to_owned(), domain });
    assert_eq!(scope, &Scope::Project(Named::Id("p1".to_owned())));
    assert_eq!(cloud.interface, "internal");
    assert!(cloud.trust.anyone);
}

#[test]
fn the_way_to_log_in_follows_from_what_is_set() {
    let empty = directory(&[]);
    let endpoint = ("OS_IMAGE_ENDPOINT_OVERRIDE", "http://g:9292/v2");
    let auth = ("OS_AUTH_URL", "http://k:5000/v3");
    let login = |variables: &[(&str, &str)]| find(None, empty.path(), variables).unwrap().login;
    assert!(matches!(login(&[endpoint]), Login::None));
    assert!(matches!(login(&[endpoint, ("OS_TOKEN", "u:p:admin")]), Login::Given(_)));
    let Login::Keystone(token) = login(&[auth, ("OS_TOKEN", "t")]) else { panic!() };
    assert!(matches!(token.proof, Proof::Token(_)));
    let credential = [
        auth,
        ("OS_APPLICATION_CREDENTIAL_ID", "a"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
        ("OS_PROJECT_NAME", "ignored"),
    ];
    let Login::Keystone(credential) = login(&credential) else { panic!() };
    assert!(matches!(credential.proof, Proof::ApplicationCredential { .. }));
    assert_eq!(credential.scope, Scope::Unspecified);
}

#[test]
fn what_is_missing_is_named_with_where_it_was_looked_for() {
    let files = directory(&[("clouds.yaml", CLOUDS)]);
    let empty = directory(&[]);
    let auth = ("OS_AUTH_URL", "http://k:5000");
    let user = ("OS_USERNAME", "ann");
    let in_files = files.path();
    let in_empty = empty.path();
    type Case<'a> = (Option<&'a str>, &'a Path, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (None, in_empty, &[], &["OS_CLOUD", "OS_AUTH_URL", ".config/openstack/clouds.yaml"]),
        (None, in_empty, &[auth], &["the user name", "OS_USERNAME", "the environment"]),
        (None, in_empty, &[auth, user], &["the password", "OS_PASSWORD"]),
        (None, in_files, &[], &["several clouds", "app, prod", "--os-cloud"]),
        (Some("dev"), in_files, &[], &["no cloud 'dev'", "clouds.yaml", "app, prod"]),
        (Some("app"), in_files, &[], &["application_credential_secret", "cloud 'app' of"]),
        (None, in_empty, &[("OS_AUTH_URL", "k:5000"), user, ("OS_PASSWORD", "x")], &["k:5000"]),
        (None, in_empty, &[auth, ("OS_AUTH_TYPE", "v3totp")], &["v3totp", "expected"]),
    ];
    for (cloud, at, variables, expected) in cases {
        let message = find(*cloud, at, variables).unwrap_err().to_string();
        for part in *expected {
            assert!(message.contains(part), "{message}: no {part}");
        }
    }
}

#[test]
fn a_broken_file_is_reported_without_its_secrets() {
    for text in
        ["clouds: {c: {auth: {password: hunter2, a: [1]}}}", "clouds: {c: {password: hunter2"]
    {
        let files = directory(&[("clouds.yaml", text)]);
        let error = find(Some("c"), files.path(), &[]).unwrap_err();
        assert!(matches!(error, Error::CloudsFile { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let files = directory(&[("clouds.yaml", CLOUDS)]);
    let cloud = find(Some("prod"), files.path(), &[]).unwrap();
    assert!(!format!("{cloud:?}").contains("0123"));
}
