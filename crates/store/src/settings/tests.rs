use image::Location;
use serde_json::json;
use tempfile::TempDir;

use super::*;

fn stores(text: &str) -> (TempDir, Result<Stores, SettingsError>) {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    let text = text.replace("DIR", &dir.path().display().to_string());
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    let stores = Stores::from_config(&config, dir.path());
    if stores.is_ok() {
        assert!(config.unread().is_empty(), "{:?}", config.unread());
    }
    (dir, stores)
}

fn wrong(text: &str) -> String {
    stores(text).1.err().expect(text).to_string()
}

const SEVERAL: &str = "\
[DEFAULT]
enabled_backends = slow:file, fast:file
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = DIR/fast
weight = 10
store_description = NVMe
[slow]
filesystem_store_datadir = DIR/slow
filesystem_store_chunk_size = 4096
[os_glance_staging_store]
filesystem_store_datadir = DIR/staging
[os_glance_tasks_store]
filesystem_store_datadir = DIR/tasks
";

#[test]
fn without_a_configuration_there_is_one_directory() {
    let (dir, stores) = stores("");
    let stores = stores.unwrap();
    let names: Vec<_> = stores.iter().map(|(name, _)| name).collect();
    assert_eq!((names, stores.default_name(), stores.are_named()), (vec!["file"], "file", true));
    assert!(stores.enabled()[0].store.holds(&format!("file://{}/images/x", dir.path().display())));
    assert_eq!(stores.staging().unwrap().path(), dir.path().join("staging"));
    assert_eq!(stores.tasks().unwrap().path(), dir.path().join("tasks"));
}

#[test]
fn several_stores_have_names_in_order() {
    let (dir, stores) = stores(SEVERAL);
    let stores = stores.unwrap();
    let names: Vec<_> = stores.iter().map(|(name, _)| name).collect();
    assert_eq!((names, stores.default_name()), (vec!["slow", "fast"], "fast"));
    let [slow, fast] = stores.enabled() else { panic!() };
    assert_eq!((slow.weight, fast.weight), (0, 10));
    assert_eq!((slow.description.as_deref(), fast.description.as_deref()), (None, Some("NVMe")));
    let slow_dir = dir.path().join("slow");
    let properties =
        json!({ "data_dir": slow_dir, "chunk_size": 4096, "thin_provisioning": false });
    assert_eq!(serde_json::Value::Object(slow.store.properties()), properties);
    assert_eq!(stores.staging().unwrap().path(), dir.path().join("staging"));
    assert!(stores.get(Some("os_glance_staging_store")).is_err());
}

#[test]
fn locations_are_settled_by_weight_and_by_their_uris() {
    let (dir, stores) = stores(SEVERAL);
    let stores = stores.unwrap();
    let uri = |name: &str| format!("file://{}/{name}/x", dir.path().display());
    let mut locations = [
        Location::new("http://elsewhere/x", None),
        Location::new(uri("slow"), Some("renamed")),
        Location::new(uri("fast"), None),
    ];
    stores.settle(&mut locations);
    let found = locations.map(|location| (location.uri, location.store));
    let expected = [
        (uri("fast"), Some("fast".into())),
        ("http://elsewhere/x".into(), None),
        (uri("slow"), Some("slow".into())),
    ];
    assert_eq!(found, expected);
    assert!(stores.holding(&Location::new("http://elsewhere/x", None)).is_err());
}

#[test]
fn the_old_options_make_stores_that_nobody_sees() {
    let text = "[DEFAULT]\nnode_staging_uri = file://DIR/s\n[task]\nwork_dir = DIR/w\n\
                [glance_store]\nstores = file\ndefault_store = file\n\
                filesystem_store_datadir = DIR/images\n";
    let (dir, stores) = stores(text);
    let stores = stores.unwrap();
    assert!(!stores.are_named());
    assert_eq!(stores.location("file", "file:///x".into()).store, None);
    let written_before = Location::new(format!("file://{}/images/x", dir.path().display()), None);
    assert!(stores.holding(&written_before).is_ok());
    assert_eq!(stores.staging().unwrap().path(), dir.path().join("s"));
    assert_eq!(stores.tasks().unwrap().path(), dir.path().join("w"));
}

#[test]
fn what_can_not_be_is_named() {
    let cases = [
        (SEVERAL.replace("slow:file", "slow:tape"), "store 'slow' is of the kind 'tape'"),
        (SEVERAL.replace("slow:file", "slow"), "expected name:kind pairs"),
        (SEVERAL.replace("default_backend = fast", ""), "default_backend is not set"),
        (SEVERAL.replace("default_backend = fast", "default_backend = x"), "default_backend = x"),
        (SEVERAL.replace("slow:file", "os_glance_x:file"), "os_glance_x"),
        (SEVERAL.replace("DIR/slow", "/proc/no/such"), "[slow] can't open the store"),
        ("[glance_store]\ndefault_store = tape\n".to_owned(), "of the kind 'tape'"),
        ("[DEFAULT]\nnode_staging_uri = http://x\n".to_owned(), "expected a file:// URI"),
    ];
    for (text, expected) in cases {
        let error = wrong(&text);
        assert!(error.contains(expected), "{error}");
    }
}
