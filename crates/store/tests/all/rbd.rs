//! Images in a Ceph, found by `TEST_CEPH_CONF`, `TEST_CEPH_USER` and `TEST_CEPH_POOL`, and what Ceph's
//! own `rbd` makes of them. What else is in the pool is left alone.

use std::env::var;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use image::ImageId;
use store::{Error, Original, Written};

use crate::conformance::{Opened, Subject, assert_same, pattern, source, suite};

/// The account's key in files of the tests that no monitor takes.
const WRONG_KEY: &str = "AQBAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==";

/// The Ceph of the tests.
struct Ceph {
    conf: PathBuf,
    user: String,
    pool: String,
}

impl Ceph {
    fn find() -> Option<Self> {
        let conf = var("TEST_CEPH_CONF").ok()?.into();
        let (user, pool) = (var("TEST_CEPH_USER").unwrap(), var("TEST_CEPH_POOL").unwrap());
        Some(Self { conf, user, pool })
    }

    fn options(&self, conf: &Path, pool: &str) -> String {
        format!(
            "rbd_store_ceph_conf = {}\nrbd_store_user = {}\nrbd_store_pool = {pool}\n\
             rbd_store_chunk_size = 1",
            conf.display(),
            self.user
        )
    }

    fn subject(&self) -> Subject {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let conf = self.with_a_key(dir.path(), WRONG_KEY);
        let odd = var("TEST_CEPH_ODD_POOL").ok();
        Subject {
            wrong_credentials: Some(self.options(&conf, &self.pool)),
            odd_names: odd.map(|pool| self.options(&self.conf, &pool)),
            secrets: vec![WRONG_KEY.to_owned()],
            keep: vec![Box::new(dir)],
            ..Subject::new("rbd", self.options(&self.conf, &self.pool))
        }
    }

    /// A configuration of the same cluster, with another key of the same account.
    fn with_a_key(&self, dir: &Path, key: &str) -> PathBuf {
        let (conf, keyring) = (dir.join("ceph.conf"), dir.join("keyring"));
        let account = format!("client.{}", self.user);
        std::fs::write(&keyring, format!("[{account}]\nkey = {key}\n")).unwrap();
        let text = std::fs::read_to_string(&self.conf).unwrap();
        let own = format!("{text}\n[{account}]\nkeyring = {}\n", keyring.display());
        std::fs::write(&conf, own).unwrap();
        conf
    }

    /// What `rbd` says, in words of which `POOL` is the pool.
    fn rbd(&self, words: &[&str]) -> Vec<u8> {
        let words = words.iter().map(|word| word.replace("POOL", &self.pool));
        let mut command = Command::new("rbd");
        command.arg("--conf").arg(&self.conf).args(["--id", &self.user]);
        let done = command.args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// Objects of the pool itself, as `rados` has them.
    fn rados(&self, words: &[&str]) -> String {
        let mut command = Command::new("rados");
        command.arg("--conf").arg(&self.conf).args(["--id", &self.user, "--pool", &self.pool]);
        let done = command.args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn said(&self, words: &[&str]) -> String {
        String::from_utf8(self.rbd(words)).unwrap()
    }
}

async fn pool() -> Option<Subject> {
    Some(Ceph::find()?.subject())
}

async fn of_holes() -> Option<Subject> {
    let subject = pool().await?;
    let options = format!("{}\nrbd_thin_provisioning = true", subject.options);
    Some(Subject { options, ..subject })
}

mod plain {
    use super::*;
    suite!(pool);
}

mod thin {
    use super::*;
    suite!(of_holes);
}

/// An image of the store: its name, and what a put of these bytes said.
async fn having(opened: &Opened, bytes: &[u8], hint: Option<u64>) -> (String, Written) {
    let id = ImageId::random();
    let written = opened.store.put(id, hint, source(bytes.to_vec())).await.unwrap();
    (id.to_string(), written)
}

#[tokio::test(flavor = "multi_thread")]
async fn ceph_exports_what_was_put() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(ceph.subject());
    let bytes = pattern(9_000_000);
    for hint in [None, Some(9_000_000)] {
        let (name, written) = having(&opened, &bytes, hint).await;
        let exported = ceph.rbd(&["export", &format!("POOL/{name}@snap"), "-"]);
        assert_same(&exported, &bytes, "exported");
        let info = ceph.said(&["info", &format!("POOL/{name}@snap")]);
        assert!(info.contains("protected: True"), "{info}");
        assert!(info.contains("order 20 (1 MiB objects)") && info.contains("layering"), "{info}");
        let fsid = std::fs::read_to_string(&ceph.conf).unwrap();
        let fsid = fsid.lines().find_map(|line| line.strip_prefix("fsid = ")).unwrap();
        assert_eq!(written.uri, format!("rbd://{fsid}/{}/{name}/snap", ceph.pool));
        opened.store.delete(&written.uri).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ceph_imports_is_read_and_deleted() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(ceph.subject());
    let dir = tempfile::tempdir().unwrap();
    let (file, bytes) = (dir.path().join("image"), pattern(5_000_001));
    std::fs::write(&file, &bytes).unwrap();
    let name = ImageId::random().to_string();
    ceph.rbd(&["import", file.to_str().unwrap(), &format!("POOL/{name}")]);
    // As rows of the first releases name it.
    assert_same(&opened.read(&format!("rbd://{name}")).await.unwrap(), &bytes, "the image");
    ceph.rbd(&["snap", "create", &format!("POOL/{name}@snap")]);
    ceph.rbd(&["snap", "protect", &format!("POOL/{name}@snap")]);
    // The cluster is always the configured one.
    let uri = format!("rbd://some-cluster/{}/{name}/snap", ceph.pool);
    assert!(!opened.store.holds(&uri));
    assert_same(&opened.read(&uri).await.unwrap(), &bytes, "the snapshot");
    opened.store.delete(&uri).await.unwrap();
    assert!(!ceph.said(&["ls", "POOL"]).contains(&name));
}

/// As Nova does with a snapshot of a server: it makes the image itself, and names its location.
#[tokio::test(flavor = "multi_thread")]
async fn users_name_images_of_their_own_alone() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(ceph.subject());
    let id = ImageId::random();
    let written = opened.store.put(id, None, source(b"x".to_vec())).await.unwrap();
    opened.store.admit(id, &written.uri).await.unwrap();
    for (id, uri) in [
        (ImageId::random(), written.uri.clone()),
        (id, written.uri.replace("rbd://", "rbd://another-")),
        (id, written.uri.replace(&ceph.pool, "volumes")),
        (id, format!("{}/x", written.uri)),
    ] {
        let refused = opened.store.admit(id, &uri).await;
        assert!(matches!(refused, Err(Error::BadLocation(_))), "{uri}: {refused:?}");
    }
    opened.store.delete(&written.uri).await.unwrap();
}

/// A store of the same cluster in another pool, with clones of a format.
fn beside(ceph: &Ceph, format: u8) -> Option<(Opened, String)> {
    let pool = var("TEST_CEPH_ODD_POOL").ok()?;
    let mut subject = ceph.subject();
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("ceph.conf");
    let text = std::fs::read_to_string(&ceph.conf).unwrap();
    std::fs::write(&conf, format!("{text}\nrbd default clone format = {format}\n")).unwrap();
    subject.keep.push(Box::new(dir));
    Some((Opened::of(Subject { options: ceph.options(&conf, &pool), ..subject }), pool))
}

/// What keeps its bytes when the original is deleted, in whatever format it was cloned.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_another_pool_is_a_clone_until_its_original_goes() {
    let Some(ceph) = Ceph::find() else { return };
    for format in [1, 2] {
        let Some((other, pool)) = beside(&ceph, format) else { return };
        let opened = Opened::of(ceph.subject());
        let bytes = pattern(5_000_000);
        let (name, written) = having(&opened, &bytes, None).await;
        let from = Original { store: &*opened.store, uri: &written.uri };
        let id = name.parse().unwrap();
        let copy = other.store.copy(id, from).await.unwrap().unwrap();
        assert_eq!(copy.size, written.size);
        let info = || ceph.said(&["--pool", &pool, "--image", &name, "info"]);
        assert!(info().contains("parent: "), "format {format}: {}", info());
        assert_same(&other.read(&copy.uri).await.unwrap(), &bytes, "the clone");
        let twice = other.store.copy(id, from).await;
        assert!(matches!(twice, Err(Error::Exists(_))), "{twice:?}");
        opened.store.expect_deletable(&written.uri).await.unwrap();
        opened.store.delete(&written.uri).await.unwrap();
        assert!(!info().contains("parent: "), "format {format}: {}", info());
        assert_same(&other.read(&copy.uri).await.unwrap(), &bytes, "what was a clone");
        other.store.delete(&copy.uri).await.unwrap();
        for pool in [&pool, &ceph.pool] {
            assert!(!ceph.said(&["--pool", pool, "ls"]).contains(&name));
            assert!(!ceph.said(&["--pool", pool, "trash", "ls"]).contains(&name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_cloned_is_left_to_be_moved() {
    let Some(ceph) = Ceph::find() else { return };
    let Some((other, _)) = beside(&ceph, 1) else { return };
    let opened = Opened::of(ceph.subject());
    let (name, written) = having(&opened, b"x", None).await;
    let id = name.parse().unwrap();
    for uri in [
        "rbd://another-cluster/images/x/snap".to_owned(),
        format!("rbd://{name}"),
        written.uri.replace(&name, "absent"),
        written.uri.replace(&ceph.pool, "no-such-pool"),
        written.uri.replace("/snap", "/other"),
    ] {
        let copied = other.store.copy(id, Original { store: &*opened.store, uri: &uri }).await;
        assert_eq!(copied.unwrap(), None, "{uri}");
        assert!(!other.store.discard(id).await.unwrap(), "nothing was made");
    }
    opened.store.delete(&written.uri).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_moved_where_that_is_asked_for() {
    let Some(ceph) = Ceph::find() else { return };
    let subject = ceph.subject();
    let options = format!("{}\nrbd_store_clone_copies = false", subject.options);
    assert!(!Opened::of(Subject { options, ..subject }).store.abilities().copies);
    assert!(Opened::of(ceph.subject()).store.abilities().copies);
}

/// The store with what becomes of images that have clones, an image of it, and a clone of that.
async fn cloned(ceph: &Ceph, fate: &str, format: u8) -> (Opened, String, Written) {
    let subject = ceph.subject();
    let options = format!("{}\nrbd_store_cloned_images = {fate}", subject.options);
    let opened = Opened::of(Subject { options, ..subject });
    let (name, written) = having(&opened, &pattern(3_000_000), None).await;
    let (format, clone) = (format!("--rbd-default-clone-format={format}"), clone_of(&name));
    ceph.rbd(&["clone", &format, &format!("POOL/{name}@snap"), &clone]);
    (opened, name, written)
}

fn clone_of(name: &str) -> String {
    format!("POOL/{name}-clone")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_clones_stays_where_that_is_asked_for() {
    let Some(ceph) = Ceph::find() else { return };
    for format in [1, 2] {
        let (opened, name, written) = cloned(&ceph, "refuse", format).await;
        let expected = opened.store.expect_deletable(&written.uri).await;
        assert!(matches!(expected, Err(Error::InUse { .. })), "{expected:?}");
        let refused = opened.store.delete(&written.uri).await;
        assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
        let info = ceph.said(&["info", &format!("POOL/{name}@snap")]);
        assert!(info.contains("protected: True"), "{info}");
        ceph.rbd(&["rm", &clone_of(&name)]);
        opened.store.expect_deletable(&written.uri).await.unwrap();
        opened.store.delete(&written.uri).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_are_flattened_where_that_is_asked_for() {
    let Some(ceph) = Ceph::find() else { return };
    for format in [1, 2] {
        let (opened, name, written) = cloned(&ceph, "flatten", format).await;
        opened.store.expect_deletable(&written.uri).await.unwrap();
        opened.store.delete(&written.uri).await.unwrap();
        let exported = ceph.rbd(&["export", &clone_of(&name), "-"]);
        assert_same(&exported, &pattern(3_000_000), "the clone");
        ceph.rbd(&["rm", &clone_of(&name)]);
        assert!(!ceph.said(&["ls", "POOL"]).contains(&name));
        assert!(!ceph.said(&["trash", "ls", "POOL"]).contains(&name));
    }
}

/// Clones of the first format need the snapshot: nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_clones_of_the_first_format_stays() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(ceph.subject());
    let bytes = pattern(3_000_000);
    let (name, written) = having(&opened, &bytes, None).await;
    let clone = format!("POOL/{name}-clone");
    ceph.rbd(&["clone", "--rbd-default-clone-format=1", &format!("POOL/{name}@snap"), &clone]);
    for refused in
        [opened.store.expect_deletable(&written.uri).await, opened.store.delete(&written.uri).await]
    {
        let why = matches!(&refused, Err(Error::InUse { why, .. }) if why.contains("clones"));
        assert!(why, "{refused:?}");
    }
    assert!(ceph.said(&["info", &format!("POOL/{name}@snap")]).contains("protected: True"));
    assert_same(&opened.read(&written.uri).await.unwrap(), &bytes, "it stays");
    ceph.rbd(&["rm", &clone]);
    opened.store.delete(&written.uri).await.unwrap();
    assert!(!ceph.said(&["ls", "POOL"]).contains(&name));
}

/// Clones of the second format live on when the image is in the trash, as glance_store leaves it.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_clones_of_the_second_format_goes_to_the_trash() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(ceph.subject());
    let bytes = pattern(3_000_000);
    let (name, written) = having(&opened, &bytes, None).await;
    let clone = format!("POOL/{name}-clone");
    ceph.rbd(&["clone", "--rbd-default-clone-format=2", &format!("POOL/{name}@snap"), &clone]);
    opened.store.expect_deletable(&written.uri).await.unwrap();
    opened.store.delete(&written.uri).await.unwrap();
    assert!(matches!(opened.store.size(&written.uri).await, Err(Error::NotFound(_))));
    assert_same(&ceph.rbd(&["export", &clone, "-"]), &bytes, "the clone");
    let trash = ceph.said(&["trash", "ls", "POOL"]);
    let line = trash.lines().find(|line| line.ends_with(&name)).expect(&trash);
    let id = line.split_whitespace().next().unwrap();
    ceph.rbd(&["rm", &clone]);
    ceph.rbd(&["trash", "rm", &format!("POOL/{id}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_take_no_room_where_the_store_is_thin() {
    let Some(ceph) = Ceph::find() else { return };
    let subject = ceph.subject();
    let options = format!("{}\nrbd_thin_provisioning = true", subject.options);
    let opened = Opened::of(Subject { options, ..subject });
    let mut bytes = vec![0; 30_000_000];
    bytes[13_000_000] = 1;
    let (name, written) = having(&opened, &bytes, Some(bytes.len() as u64)).await;
    let extents = ceph.said(&["diff", "--format", "json", &format!("POOL/{name}@snap")]);
    let extents: Vec<serde_json::Value> = serde_json::from_str(&extents).unwrap();
    let stored: u64 = extents.iter().map(|extent| extent["length"].as_u64().unwrap()).sum();
    assert!((1..=4 << 20).contains(&stored), "{extents:?}");
    assert_same(&opened.read(&written.uri).await.unwrap(), &bytes, "with its zeros");
    opened.store.delete(&written.uri).await.unwrap();
}

/// Nobody listens on the port of TCP's multiplexer.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_is_said_to_be() {
    let Some(ceph) = Ceph::find() else { return };
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("ceph.conf");
    let text = "[global]\nmon host = v2:127.0.0.1:1\nauth client required = none\n";
    std::fs::write(&conf, text).unwrap();
    let options = format!("{}\nrados_connect_timeout = 1", ceph.options(&conf, &ceph.pool));
    let opened = Opened::of(Subject::new("rbd", options));
    let error = opened.store.probe().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("ceph.conf"), "{error}");
    assert!(opened.store.holds("rbd://any/images/x/snap"), "its id is not known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_not_there_is_named() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(Subject::new("rbd", ceph.options(&ceph.conf, "no-such-pool")));
    let error = opened.store.probe().await.unwrap_err();
    assert!(matches!(&error, Error::NotFound(what) if what.contains("no-such-pool")), "{error}");
    let error = opened.put_failing(ImageId::random(), source(b"x".to_vec())).await;
    assert!(matches!(&error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("no-such-pool"), "{error}");
}

/// What there is of an image once its creation was cut short: its id by its name, its name and its id
/// in the directory, its header, in that order; or once its removal was.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_made_in_part_is_removed_and_made_again() {
    let Some(ceph) = Ceph::find() else { return };
    let opened = Opened::of(ceph.subject());
    let bytes = pattern(3_000_000);
    for missing in [
        &["header"][..],
        &["id"],
        &["header", "id"],
        &["header", "name", "directory"],
        &["header", "id", "name"],
        &["map"],
    ] {
        let id = ImageId::random();
        let name = id.to_string();
        ceph.rbd(&["create", "--size", "8M", &format!("POOL/{name}")]);
        let info = ceph.said(&["info", "--format", "json", &format!("POOL/{name}")]);
        let info: serde_json::Value = serde_json::from_str(&info).unwrap();
        let number = info["id"].as_str().unwrap().to_owned();
        for part in missing {
            let (header, map) =
                (format!("rbd_header.{number}"), format!("rbd_object_map.{number}"));
            let (by_name, entry) = (format!("rbd_id.{name}"), format!("name_{name}"));
            let back = format!("id_{number}");
            match *part {
                "header" => ceph.rados(&["rm", &header]),
                "map" => ceph.rados(&["rm", &map]),
                "id" => ceph.rados(&["rm", &by_name]),
                "name" => ceph.rados(&["rmomapkey", "rbd_directory", &entry]),
                _ => ceph.rados(&["rmomapkey", "rbd_directory", &back]),
            };
        }
        opened.store.discard(id).await.unwrap();
        let written = opened.store.put(id, None, source(bytes.clone())).await;
        let written = written.unwrap_or_else(|error| panic!("without {missing:?}: {error}"));
        assert_same(&opened.read(&written.uri).await.unwrap(), &bytes, "made again");
        opened.store.delete(&written.uri).await.unwrap();
        let objects = ceph.rados(&["ls"]);
        assert!(!objects.contains(&name), "without {missing:?}: {objects}");
        assert!(!ceph.said(&["ls", "POOL"]).contains(&name), "without {missing:?}");
    }
}
