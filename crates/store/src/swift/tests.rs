use std::path::Path;

use config::Config;

use crate::Stores;

fn stores(options: &str) -> std::result::Result<Stores, String> {
    let mut config = Config::default();
    let text = format!("[glance_store]\nstores = swift\ndefault_store = swift\n{options}\n");
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    Stores::from_config(&config, dir.path()).map_err(|error| error.to_string())
}

const OWN: &str = "swift_store_auth_address = http://keystone:5000/v3\n\
                   swift_store_user = service:swift\nswift_store_key = pw";

#[test]
fn locations_are_of_the_accounts_that_are_known() {
    let stores = stores(OWN).unwrap();
    let store = &stores.enabled()[0].store;
    for uri in [
        "swift+config://ref1/glance/x",
        "swift+http://service%3Aswift:old@keystone:5000/v3/glance/x",
        "swift+http://other:user:key@keystone:5000/v3/glance/x",
    ] {
        assert!(store.holds(uri), "{uri}");
    }
    for uri in [
        "swift+config://ref2/glance/x",
        "swift+config://ref1/glance_a/x",
        "swift+config://ref1/other/x",
        "swift+http://service:swift:pw@elsewhere:5000/v3/glance/x",
        "swift+https://service:swift:pw@keystone:5000/v3/glance/x",
    ] {
        assert!(!store.holds(uri), "{uri}");
    }
}

#[test]
fn accounts_come_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("swift.conf");
    let text = "[ref1]\nuser = 'a:u'\nkey = \"k\"\nauth_address = https://k/v3\n\
                [old]\nauth_address = k:5000/v3\napplication_credential_id = i\n\
                application_credential_secret = s\nuser_domain_name = d\n";
    std::fs::write(&file, text).unwrap();
    let option = format!("swift_store_config_file = {}", file.display());
    let stores = stores(&option).unwrap();
    for uri in ["swift+config://ref1/glance/x", "swift+config://old/glance/x"] {
        assert!(stores.enabled()[0].store.holds(uri), "{uri}");
    }
    let wrong = self::stores(&format!("{option}\ndefault_swift_reference = none"));
    assert!(wrong.err().unwrap().contains("default_swift_reference"));
}

#[test]
fn what_is_missing_is_named() {
    for (options, named) in [
        ("", "swift_store_auth_address"),
        ("swift_store_auth_address = http://k/v3", "swift_store_user"),
        (
            "swift_store_auth_address = http://k/v3\nswift_store_user = x\nswift_store_key = y",
            "ACCOUNT:USER",
        ),
        (&format!("{OWN}\nswift_store_multiple_containers_seed = 33"), "0 to 32"),
        (&format!("{OWN}\nswift_store_large_object_chunk_size = 0"), "at least 1"),
        (&format!("{OWN}\nswift_store_cacert = /nowhere"), "/nowhere"),
    ] {
        let error = stores(options).err().expect(options);
        assert!(error.contains(named), "{options}: {error}");
    }
}

#[test]
fn objects_are_cut_where_glance_cuts_them() {
    let sizes = "swift_store_large_object_size = 20\nswift_store_large_object_chunk_size = 5";
    let stores = stores(&format!("{OWN}\n{sizes}")).unwrap();
    let shown = stores.enabled()[0].store.properties();
    assert_eq!(shown["large_object_size"], 20_480_000);
    assert_eq!(shown["large_object_chunk_size"], 5_120_000);
}

/// The names of Glance's `get_container_name`.
#[test]
fn containers_are_named_by_beginnings_of_ids() {
    let name = |seed: usize| {
        let store = Stores::from_config(
            &{
                let mut config = Config::default();
                let text = format!(
                    "[glance_store]\nstores = swift\ndefault_store = swift\n{OWN}\n\
                     swift_store_multiple_containers_seed = {seed}\n"
                );
                config.add_text(&text, Path::new("g")).unwrap();
                config
            },
            tempfile::tempdir().unwrap().path(),
        );
        store.unwrap().enabled()[0].store.holds("swift+config://ref1/glance_6f1a2c3d-4/x")
    };
    assert!(name(9) && !name(0));
}
