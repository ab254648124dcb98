use std::fs;

use image::{ImageId, Timestamp};

use super::*;

const ALL: &str = "create = @\nread = @\nupdate = @\ndelete = @\n";

fn protections(text: &str, format: &str) -> config::Result<Protections> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("protections.conf"), text).unwrap();
    let options = format!(
        "property_protection_file = protections.conf\nproperty_protection_rule_format = {format}\n"
    );
    let mut config = Config::default();
    config.add_text(&options, Path::new("glance-api.conf")).unwrap();
    Protections::from_config(&config, &[folder.path().to_owned()])
}

fn caller(roles: &[&str]) -> Caller {
    Caller { roles: roles.iter().map(|&role| role.to_owned()).collect(), ..identity_of_nobody() }
}

fn identity_of_nobody() -> Caller {
    let anybody = identity::NoAuth::new("p");
    let caller = identity::Authenticator::authenticate(&anybody, "");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Caller { roles: Vec::new(), is_admin: false, ..(*runtime.block_on(caller).unwrap()).clone() }
}

#[test]
fn the_first_rule_that_is_about_a_name_holds() {
    let text = format!("[^x_secret]\n{}[^x_]\n{ALL}", ALL.replace('@', "Owner, admin"));
    let rules = protections(&text, "roles").unwrap();
    let may = |roles: &[&str], name: &str| {
        rules.admit(&Policy::default(), &caller(roles), Operation::Update, name)
    };
    assert!(may(&["owner"], "x_secret_key"));
    assert!(!may(&["member"], "x_secret_key"));
    assert!(may(&["member"], "x_other"));
    assert!(!may(&["owner", "admin"], "y"), "no rule is about it");
    assert!(may(&[], "os_glance_import_task"));
}

#[test]
fn operations_are_told_apart() {
    let rules = protections("[.*]\ncreate = !\nread = @\nupdate =\ndelete = a\n", "roles").unwrap();
    let may = |operation| rules.admit(&Policy::default(), &caller(&["a"]), operation, "x");
    use Operation::*;
    assert_eq!([Create, Read, Update, Delete].map(may), [false, true, false, true]);
}

#[test]
fn a_policy_may_decide() {
    let text = format!("[.*]\n{}", ALL.replace('@', "publicize_image"));
    let rules = protections(&text, "policies").unwrap();
    let may =
        |roles: &[&str]| rules.admit(&Policy::default(), &caller(roles), Operation::Read, "x");
    assert!(may(&["admin"]));
    assert!(!may(&["member"]));
}

#[test]
fn what_may_not_be_read_is_hidden() {
    let text = format!("[^x_]\n{}[.*]\n{ALL}", ALL.replace('@', "!"));
    let rules = protections(&text, "roles").unwrap();
    let mut image = Image::new(ImageId::random(), None, Timestamp::now());
    image.properties = [("x_a".into(), "1".into()), ("y".into(), "2".into())].into();
    rules.hide(&Policy::default(), &caller(&[]), &mut image);
    assert_eq!(image.properties, [("y".to_owned(), "2".to_owned())].into());
}

#[test]
fn a_file_that_is_not_whole_is_refused() {
    let cases = [
        ("[.*]\ncreate = @\n", "roles", "'read' is missing"),
        (&format!("[(]\n{ALL}"), "roles", "[(]"),
        (&format!("[a]\n{}", ALL.replace('@', "@, !")), "roles", "mutually exclusive"),
        (&format!("[a]\n{}", ALL.replace('@', "a, b")), "policies", "only one policy"),
        (ALL, "roles", "line 1"),
        (ALL, "groups", "expected roles or policies"),
    ];
    for (text, format, expected) in cases {
        let error = protections(text, format).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let mut config = Config::default();
    let text = "property_protection_file = /no/such.conf\n";
    config.add_text(text, Path::new("glance-api.conf")).unwrap();
    let error = Protections::from_config(&config, &[]).unwrap_err().to_string();
    assert!(error.contains("/no/such.conf"), "{error}");
}
