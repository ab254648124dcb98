//! What the options say is what Cinder and Keystone are asked.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Peer, Reply, Request, is_believed_as_options_say, keystone, source, store};

const VOLUME: &str = "/volumes/9b0d4a5e-2e8c-4c6a-9a54-5e4ac3f30d6f";
const ATTACHMENT: &str = "/attachments/2d1f2a0c-7a0e-4d56-8a7b-0c1f4b1f6f55";

/// Where Cinder is listed in Keystone's catalog.
const ENDPOINTS: &[(&str, &str, &str, &str)] = &[
    ("compute", "public", "one", "/compute"),
    ("volumev3", "internal", "one", "/internal-one"),
    ("volumev3", "public", "one", "/public-one"),
    ("volumev3", "public", "two", "/public-two"),
    ("volume-fast", "public", "one", "/fast"),
];

/// Logs everybody in, has a volume for everybody, and lets this host reach it by a way that it can't
/// go; but where a test has another answer to a path below an endpoint.
fn cloud(answer: impl Fn(&str, &Request) -> Option<Reply> + Send + Sync + 'static) -> Peer {
    let removed = AtomicBool::new(false);
    Peer::new(move |request| {
        if let Some(granted) = keystone::log_in(request, SignedDuration::from_hours(1), ENDPOINTS) {
            return granted;
        }
        let path = request.path.trim_start_matches('/');
        let path = path.find('/').map_or("", |slash| &path[slash..]);
        let what = format!("{} {path}", request.method);
        if what == format!("DELETE {VOLUME}") {
            removed.store(true, Ordering::SeqCst);
        }
        if what == format!("GET {VOLUME}") && removed.load(Ordering::SeqCst) {
            return Reply::json(404, &json!({}));
        }
        answer(&what, request).unwrap_or_else(|| usual(&what))
    })
}

fn usual(what: &str) -> Reply {
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let attachment = json!({"attachment": {
        "id": id(ATTACHMENT), "connection_info": {"driver_volume_type": "fibre_channel"}}});
    match what.split('?').next().unwrap() {
        "POST /volumes" => volume("creating"),
        "GET /attachments" => Reply::json(200, &json!({"attachments": []})),
        "POST /attachments" => Reply::json(200, &attachment),
        what if what == format!("PUT {ATTACHMENT}") => Reply::json(200, &attachment),
        what if what == format!("GET {VOLUME}") => volume("available"),
        _ => Reply::json(200, &json!({"volumes": []})),
    }
}

fn volume(status: &str) -> Reply {
    let id = VOLUME.rsplit('/').next().unwrap();
    Reply::json(200, &json!({"volume": {"id": id, "status": status, "size": 1}}))
}

/// A user with a password, at a Keystone that is this server; further options come first.
fn of_user(peer: &Peer, more: &str) -> Arc<dyn Store> {
    let options = format!(
        "{more}\ncinder_store_auth_address = {}/v3\ncinder_store_user_name = glance\n\
         cinder_store_password = pw\ncinder_store_project_name = service\n",
        peer.url()
    );
    store("cinder", &options).unwrap()
}

/// The bodies of the requests that begin so.
fn bodies(peer: &Peer, line: &str) -> Vec<Value> {
    peer.asked(line).iter().map(Request::json).collect()
}

#[tokio::test]
async fn cinder_is_where_the_options_say() {
    for (options, place) in [
        ("", "/public-one"),
        ("cinder_catalog_info = volumev3:cinderv3:internalURL", "/internal-one"),
        ("cinder_catalog_info = volume-fast::publicURL", "/fast"),
        ("cinder_os_region_name = two", "/public-two"),
        ("os_region_name = two", "/public-two"),
        ("cinder_os_region_name = one\nos_region_name = two", "/public-one"),
        ("cinder_endpoint_template = {url}/given", "/given"),
    ] {
        let peer = cloud(|_, _| None);
        let options = options.replace("{url}", &peer.url());
        of_user(&peer, &options).probe().await.unwrap();
        assert_eq!(peer.asked(&format!("GET {place}/volumes")).len(), 1, "{options}");
    }
    let nowhere = of_user(&cloud(|_, _| None), "cinder_os_region_name = three").probe().await;
    let error = nowhere.unwrap_err().to_string();
    assert!(error.contains("no public endpoint of a service volumev3"), "{error}");
}

#[tokio::test]
async fn the_service_logs_in_as_the_options_say() {
    let cases = [
        ("", ("Default", "Default")),
        ("cinder_store_user_domain_name = U\ncinder_store_project_domain_name = P", ("U", "P")),
    ];
    for (options, (user, project)) in cases {
        let peer = cloud(|_, _| None);
        of_user(&peer, options).probe().await.unwrap();
        let user = json!({"name": "glance", "password": "pw", "domain": {"name": user}});
        let expected = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "service", "domain": {"name": project}}},
        }});
        assert_eq!(bodies(&peer, "POST /v3/auth/tokens"), [expected], "{options}");
    }
}

#[tokio::test]
async fn an_application_credential_goes_before_a_password() {
    let peer = cloud(|_, _| None);
    let credential = "cinder_store_application_credential_id = i\n\
                      cinder_store_application_credential_secret = s";
    of_user(&peer, credential).probe().await.unwrap();
    let expected = json!({"auth": {"identity": {
        "methods": ["application_credential"],
        "application_credential": {"id": "i", "secret": "s"},
    }}});
    assert_eq!(bodies(&peer, "POST /v3/auth/tokens"), [expected]);
}

#[tokio::test]
async fn a_server_is_believed_by_whom_options_let() {
    let peer = Peer::secure(|request| {
        let granted = keystone::log_in(request, SignedDuration::from_hours(1), &[]);
        granted.unwrap_or_else(|| usual(""))
    });
    let url = peer.url();
    let options = format!(
        "cinder_endpoint_template = {url}\ncinder_store_auth_address = {url}/v3\n\
         cinder_store_application_credential_id = i\n\
         cinder_store_application_credential_secret = s"
    );
    let (authorities, anybody) = ("cinder_ca_certificates_file", ["cinder_api_insecure"]);
    is_believed_as_options_say(&peer, "cinder", &options, authorities, &anybody).await;
}

#[tokio::test]
async fn a_request_is_repeated_as_often_as_options_say() {
    for (options, times) in
        [("cinder_http_retries = 0", 1), ("cinder_http_retries = 1", 2), ("", 4)]
    {
        let peer = cloud(|_, _| Some(Reply::json(503, &json!({}))));
        let error = of_user(&peer, options).probe().await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert_eq!(peer.asked("GET /public-one/volumes").len(), times, "{options}");
    }
}

/// An upload that this host has no way for, which is told once the volume is there.
async fn upload(peer: &Peer, options: &str) -> String {
    let store = of_user(peer, options);
    let put = store.put(ImageId::random(), Some(1), source(b"x")).await;
    store.settled().await;
    put.unwrap_err().to_string()
}

#[tokio::test]
async fn a_volume_is_waited_for_as_long_as_options_say() {
    for (options, is_used) in [("cinder_state_transition_timeout = 0", false), ("", true)] {
        let looked = AtomicBool::new(false);
        let peer = cloud(move |what, _| {
            let is_first = what == format!("GET {VOLUME}") && !looked.swap(true, Ordering::SeqCst);
            is_first.then(|| volume("creating"))
        });
        let why = upload(&peer, options).await;
        assert_eq!(why.contains("is creating, not available"), !is_used, "{why}");
        assert_eq!(peer.asked("POST /public-one/attachments").len(), usize::from(is_used));
        // What was made goes again.
        assert_eq!(peer.asked(&format!("DELETE /public-one{VOLUME}")).len(), 1);
    }
}

#[tokio::test]
async fn a_volume_has_the_type_that_options_name() {
    for (options, kind) in [("", Value::Null), ("cinder_volume_type = fast", json!("fast"))] {
        let peer = cloud(|_, _| None);
        upload(&peer, options).await;
        assert_eq!(bodies(&peer, "POST /public-one/volumes")[0]["volume"]["volume_type"], kind);
    }
}

#[tokio::test]
async fn cinder_is_told_of_multipath_what_options_say() {
    for (options, wanted, enforced) in [
        ("", false, false),
        ("cinder_use_multipath = true", true, false),
        ("cinder_use_multipath = true\ncinder_enforce_multipath = true", true, true),
    ] {
        let peer = cloud(|_, _| None);
        let why = upload(&peer, options).await;
        assert!(why.contains("reached by 'fibre_channel'"), "{why}");
        assert!(why.contains("by rbd, nfs, iscsi are used"), "{why}");
        let told = &bodies(&peer, &format!("PUT /public-one{ATTACHMENT}"))[0];
        let connector = &told["attachment"]["connector"];
        assert_eq!(connector["multipath"], wanted, "{options}");
        assert_eq!(connector["enforce_multipath"], enforced, "{options}");
    }
}

#[tokio::test]
async fn an_attachment_is_asked_for_as_often_as_options_say() {
    for times in [1, 2] {
        let refusal = json!({"badRequest": {"code": 400, "message": "it is attached"}});
        let peer =
            cloud(move |what, _| (what == "POST /attachments").then(|| Reply::json(400, &refusal)));
        let why = upload(&peer, &format!("cinder_attachment_retry_attempts = {times}")).await;
        assert!(why.contains("it is attached"), "{why}");
        assert_eq!(peer.asked("POST /public-one/attachments").len(), times);
    }
}

#[test]
fn what_can_not_be_is_named() {
    for (wrong, expected) in [
        ("cinder_catalog_info = volumev3:publicURL", "TYPE:NAME:INTERFACE"),
        ("cinder_endpoint_template = http://c/v3/%(tenant)s", "nothing is to be filled in"),
        ("cinder_http_retries = often", "cinder_http_retries"),
        ("cinder_state_transition_timeout = -1", "cinder_state_transition_timeout"),
        ("cinder_use_multipath = perhaps", "cinder_use_multipath"),
        ("cinder_store_project_name =", "cinder_store_project_name"),
    ] {
        let options = format!(
            "cinder_store_auth_address = http://k/v3\ncinder_store_user_name = u\n\
             cinder_store_password = p\ncinder_store_project_name = s\n{wrong}"
        );
        let error = store("cinder", &options).err().expect(wrong);
        assert!(error.contains(expected), "{wrong}: {error}");
    }
}

#[tokio::test]
async fn a_location_that_a_client_names_is_the_volume_of_the_image() {
    let id = ImageId::random();
    for (name, is_admitted) in [(format!("image-{id}"), true), ("image-of-another".into(), false)] {
        let peer = cloud(move |what, _| {
            let volume = json!({"id": VOLUME.rsplit('/').next(), "status": "available", "size": 1,
                "name": name});
            (what == format!("GET {VOLUME}")).then(|| Reply::json(200, &json!({"volume": volume})))
        });
        let uri = format!("cinder://{}", VOLUME.rsplit('/').next().unwrap());
        let admitted = of_user(&peer, "").admit(id, &uri).await;
        assert_eq!(admitted.is_ok(), is_admitted, "{admitted:?}");
    }
}

/// Where a volume of a GiB is really, by a way that this host can go: a target of iSCSI, or a file of an NFS
/// share. `tests/stores/kernel_clients` has some.
#[tokio::test]
async fn a_volume_is_written_and_read_where_it_is() {
    let Ok(place) = std::env::var("TEST_CINDER_CONNECTION") else { return };
    let place: Value = serde_json::from_str(&place).unwrap();
    let id = ATTACHMENT.rsplit('/').next().unwrap();
    let attachment = json!({"attachment": {"id": id, "connection_info": place}});
    let peer = cloud(move |what, _| {
        let is_it = what == format!("PUT {ATTACHMENT}") || what == format!("GET {ATTACHMENT}");
        is_it.then(|| Reply::json(200, &attachment))
    });
    let options = std::env::var("TEST_CINDER_OPTIONS").unwrap_or_default();
    let store = of_user(&peer, &options);
    let bytes: Vec<u8> = (0..20_000_001_u32).map(|at| (at / 3 * 7) as u8).collect();
    let bytes: &'static [u8] = bytes.leak();
    let put = store.put(ImageId::random(), Some(bytes.len() as u64), source(bytes));
    let written = put.await.unwrap();
    assert_eq!(written.size, bytes.len() as u64);
    for range in [0..1, 1..4_194_305, 19_999_990..20_000_001, 0..20_000_001] {
        let data = store.open(&written.uri, range.start as u64..range.end as u64).await.unwrap();
        let read: Vec<_> = data.map(|piece| piece.unwrap()).collect().await;
        assert!(read.concat() == bytes[range.clone()], "{range:?}");
    }
    let dropped = store.open(&written.uri, 0..20_000_001).await.unwrap();
    drop(dropped);
    store.settled().await;
    store.delete(&written.uri).await.unwrap();
    // Each time it was let go of.
    let line = format!("DELETE /public-one{ATTACHMENT}");
    assert_eq!(peer.asked(&line).len(), 6);
}

/// A volume of the image, as Cinder lists it: of another store in the project, made by Glance, or this
/// store's.
#[tokio::test]
async fn only_volumes_of_the_store_are_taken_for_its_own() {
    let id = ImageId::random();
    for (marks, is_own) in [
        (json!({}), false),
        (json!({"tintype-store": "other", "tintype-upload": "x"}), false),
        (json!({"tintype-store": "glance_store", "tintype-upload": "x"}), true),
    ] {
        let mut metadata = marks.clone();
        metadata["glance_image_id"] = json!(id.to_string());
        let peer = cloud(move |what, _| {
            let listed = json!({"id": VOLUME.rsplit('/').next(), "status": "available", "size": 1,
                "name": format!("image-{id}"), "metadata": metadata});
            let is_list = what.starts_with("GET /volumes/detail");
            is_list.then(|| Reply::json(200, &json!({"volumes": [listed]})))
        });
        let store = of_user(&peer, "");
        let put = store.put(id, Some(1), source(b"x")).await.unwrap_err();
        assert_eq!(matches!(put, Error::Exists(_)), is_own, "{marks}: {put}");
        let made = peer.asked("DELETE").len();
        assert_eq!(store.discard(id).await.unwrap(), is_own, "{marks}");
        assert_eq!(peer.asked("DELETE").len() - made, usize::from(is_own), "{marks}");
    }
}

/// The answer to the request for a volume gets lost: the one that is removed is this upload's, and no
/// other one's into the same store.
#[tokio::test]
async fn a_volume_whose_making_was_not_told_is_known_by_its_upload() {
    for is_own in [true, false] {
        let id = ImageId::random();
        let asked = std::sync::Mutex::new(None);
        let peer = cloud(move |what, request| {
            if what == "POST /volumes" {
                let mut made = request.json()["volume"].clone();
                made["id"] = json!(VOLUME.rsplit('/').next());
                made["status"] = json!("available");
                if !is_own {
                    made["metadata"]["tintype-upload"] = json!("another");
                }
                *asked.lock().unwrap() = Some(made);
                return Some(Reply::of(502, b""));
            }
            let listed: Vec<_> = asked.lock().unwrap().clone().into_iter().collect();
            let is_list = what.starts_with("GET /volumes/detail");
            is_list.then(|| Reply::json(200, &json!({"volumes": listed})))
        });
        let store = of_user(&peer, "");
        store.put(id, Some(1), source(b"x")).await.unwrap_err();
        let removed: Vec<_> = peer.asked("DELETE").into_iter().collect();
        assert_eq!(removed.len(), usize::from(is_own));
    }
}

#[tokio::test]
async fn shares_are_mounted_where_the_options_say() {
    let id = ATTACHMENT.rsplit('/').next().unwrap();
    let share = json!({"driver_volume_type": "nfs", "export": "nas.example:/share",
        "name": "volume-1", "format": "raw"});
    let attachment = json!({"attachment": {"id": id, "connection_info": share}});
    let peer = cloud(move |what, _| {
        let is_it = what == format!("PUT {ATTACHMENT}") || what == format!("GET {ATTACHMENT}");
        is_it.then(|| Reply::json(200, &attachment))
    });
    // Where no folder can be made, nothing is mounted.
    let store = of_user(&peer, "cinder_mount_point_base = /proc/nowhere");
    let error = store.put(ImageId::random(), Some(1), source(b"x")).await.unwrap_err().to_string();
    assert!(error.contains("/proc/nowhere (cinder_mount_point_base)"), "{error}");
}
