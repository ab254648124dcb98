use std::os::unix::fs::MetadataExt;

use futures::{StreamExt, stream};
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
fn what_a_store_does_not_set_is_set_for_all() {
    let text = format!("{SEVERAL}[backend_defaults]\nfilesystem_store_chunk_size = 8192\n");
    let (_dir, stores) = stores(&text);
    let stores = stores.unwrap();
    let sizes: Vec<_> =
        stores.iter().map(|(_, store)| store.properties()["chunk_size"].clone()).collect();
    assert_eq!(sizes, [4096, 8192]);
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
                [glance_store]\ndefault_store = file\n\
                filesystem_store_datadir = DIR/images\n";
    let (dir, stores) = stores(text);
    let stores = stores.unwrap();
    assert!(!stores.are_named());
    assert_eq!(stores.location("file", "file:///x".into()).store, None);
    let written_before = Location::new(format!("file://{}/images/x", dir.path().display()), None);
    assert!(stores.holding(&written_before).is_ok());
    assert!(stores.holding(&Location::new("http://elsewhere/x", None)).is_ok());
    assert_eq!(stores.staging().unwrap().path(), dir.path().join("s"));
    assert_eq!(stores.tasks().unwrap().path(), dir.path().join("w"));
}

fn source(bytes: Vec<u8>) -> crate::Source {
    stream::iter([Ok(bytes.into())]).boxed()
}

#[tokio::test]
async fn a_store_over_several_directories_fills_the_preferred_one() {
    let several = "filesystem_store_datadirs = DIR/a\nfilesystem_store_datadirs = DIR/b:200\n";
    let text = SEVERAL.replace("filesystem_store_datadir = DIR/fast\n", several);
    let (dir, stores) = stores(&text);
    let stores = stores.unwrap();
    let (_, store) = stores.get(None).unwrap();
    let id = image::ImageId::random();
    let written = store.put(id, Some(1), source(b"x".to_vec())).await.unwrap();
    assert_eq!(written.uri, format!("file://{}/b/{id}", dir.path().display()));
    let other = image::ImageId::random();
    std::fs::write(dir.path().join("a").join(other.to_string()), "y").unwrap();
    let elsewhere = format!("file://{}/a/{other}", dir.path().display());
    assert!(store.holds(&elsewhere));
    assert_eq!(store.size(&elsewhere).await.unwrap(), 1);
    let mut stored = store.stored().await.unwrap();
    stored.sort();
    let mut expected = [id, other];
    expected.sort();
    assert_eq!(stored, expected);
    assert!(store.discard(other).await.unwrap());
    assert!(!store.discard(other).await.unwrap());
}

#[tokio::test]
async fn files_are_written_as_the_operator_says() {
    let more = "filesystem_store_file_perm = 604\nfilesystem_thin_provisioning = true\n\
                filesystem_store_metadata_file = DIR/metadata.json\n[slow]\n";
    let dir = tempfile::tempdir().unwrap();
    let text = SEVERAL.replace("[slow]\n", more).replace("DIR", &dir.path().display().to_string());
    let mountpoint = json!({ "id": "nfs", "mountpoint": dir.path() });
    std::fs::write(dir.path().join("metadata.json"), mountpoint.to_string()).unwrap();
    let mut config = Config::default();
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    let stores = Stores::from_config(&config, dir.path()).unwrap();
    let (name, store) = stores.get(None).unwrap();

    let mut bytes = vec![0; 2 << 20];
    bytes[1 << 20] = 7;
    let written = store.put(image::ImageId::random(), None, source(bytes.clone())).await.unwrap();
    let path = written.uri.strip_prefix("file://").unwrap();
    let metadata = std::fs::metadata(path).unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.len()), (0o604, 2 << 20));
    assert!(metadata.blocks() * 512 < 1 << 20, "{} blocks", metadata.blocks());
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    let description = stores.location(name, written.uri).description();
    let expected = json!({ "id": "nfs", "mountpoint": dir.path(), "store": "fast" });
    assert_eq!(serde_json::Value::Object(description), expected);
}

#[test]
fn what_can_not_be_is_named() {
    let cases = [
        (SEVERAL.replace("slow:file", "slow:tape"), "store 'slow' is of the kind 'tape'"),
        (SEVERAL.replace("slow:file", "slow"), "expected name:kind pairs"),
        (SEVERAL.replace("slow:file", "fast:http"), "names the store 'fast' twice"),
        (SEVERAL.replace("default_backend = fast", ""), "default_backend is not set"),
        (SEVERAL.replace("default_backend = fast", "default_backend = x"), "default_backend = x"),
        (SEVERAL.replace("slow:file", "os_glance_x:file"), "os_glance_x"),
        (SEVERAL.replace("DIR/slow", "/proc/no/such"), "[slow] can't open the store"),
        (SEVERAL.replace("DIR/fast", "DIR/fast\nfilesystem_store_datadirs = DIR/a"), "either this"),
        (SEVERAL.replace("datadir = DIR/fast", "datadirs = DIR/a:x"), "expected a directory"),
        (SEVERAL.replace("DIR/fast", "DIR/fast\nfilesystem_store_file_perm = 040"), "owner read"),
        (SEVERAL.replace("DIR/fast", "DIR/fast\nfilesystem_store_file_perm = 9"), "owner read"),
        ("[glance_store]\ndefault_store = tape\n".to_owned(), "of the kind 'tape'"),
        ("[DEFAULT]\nnode_staging_uri = http://x\n".to_owned(), "expected a file:// URI"),
    ];
    for (text, expected) in cases {
        let error = wrong(&text);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn kinds_may_be_named_by_glances_classes() {
    let text = "[glance_store]\nstores = glance.store.filesystem.Store, file, \
                glance.store.http.Store\nfilesystem_store_datadir = DIR/images\n";
    let stores = stores(text).1.unwrap();
    let names: Vec<_> = stores.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["file", "http"]);
}

#[test]
fn the_default_may_be_named_by_a_scheme() {
    for (default, kind) in [("https", "http"), ("filesystem", "file"), ("file", "file")] {
        let text = format!(
            "[glance_store]\nstores = file,http\ndefault_store = {default}\n\
             filesystem_store_datadir = DIR/images\n"
        );
        assert_eq!(stores(&text).1.unwrap().default_name(), kind);
    }
}

/// As Glance, which then knows stores by schemes alone: the pool, the container or the host may have
/// been another one when the image came. Whoever names a location is still held to the present place.
#[tokio::test]
async fn images_of_a_former_place_are_the_stores_of_their_schemes() {
    let text = "[glance_store]\nstores = file,rbd,s3,swift,sheepdog,vmware\n\
                filesystem_store_datadir = DIR/images\nrbd_store_pool = images2\n\
                s3_store_host = s3.example\ns3_store_bucket = new\ns3_store_access_key = k\n\
                s3_store_secret_key = s\nswift_store_auth_address = http://127.0.0.1:5000/v3\n\
                swift_store_user = p:u\nswift_store_key = k\nswift_store_container = new\n\
                sheepdog_store_address = 127.0.0.1\nvmware_server_host = vc.example\n\
                vmware_server_username = u\nvmware_server_password = p\nvmware_datastores = dc:new\n";
    let (_dir, stores) = stores(text);
    let stores = stores.unwrap();
    let id = image::ImageId::random();
    for (uri, kind) in [
        (format!("file:///former/{id}"), "file"),
        (format!("rbd://fsid/images/{id}/snap"), "rbd"),
        (format!("s3://k:s@192.0.2.7:7480/former/{id}"), "s3"),
        (format!("swift://p%3Au:k@127.0.0.1:5000/v3/former/{id}"), "swift"),
        (format!("sheepdog://192.0.2.7:7000:{id}"), "sheepdog"),
        (format!("vsphere://192.0.2.7/folder/{id}?dcPath=dc&dsName=former"), "vmware"),
    ] {
        let store = stores.holding(&Location::new(&uri, None)).expect(&uri);
        assert_eq!(store.kind(), kind, "{uri}");
        assert!(!store.holds(&uri), "{uri}");
        assert!(store.admit(id, &uri).await.is_err(), "{uri}");
    }
    assert!(stores.holding(&Location::new("cinder://x", None)).is_err());
}

#[test]
fn what_may_be_in_a_store_is_no_other_ones() {
    let (dir, stores) = stores(SEVERAL);
    let stores = stores.unwrap();
    let uri = |name: &str| format!("file://{}/{name}/x", dir.path().display());
    for (location, [slow, fast]) in [
        (Location::new(uri("fast"), Some("fast")), [false, true]),
        (Location::new(uri("fast"), None), [false, true]),
        (Location::new(uri("slow"), Some("slow")), [true, false]),
        // A directory that was moved, and one that has two names.
        (Location::new(uri("former"), Some("fast")), [true, true]),
        (Location::new(uri("slow"), Some("fast")), [true, true]),
        // A store that is configured no more.
        (Location::new("rbd://fsid/pool/x/snap", Some("ceph")), [true, true]),
    ] {
        let may_be_in = ["slow", "fast"].map(|name| stores.may_be_in(name, &location));
        assert_eq!(may_be_in, [slow, fast], "{location:?}");
    }
}
