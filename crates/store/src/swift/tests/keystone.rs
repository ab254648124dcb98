//! What the options say is what Keystone and Swift are asked.

use futures::TryStreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::Readers;
use crate::testing::{Request, is_believed_as_options_say, keystone};

/// Where Swift is listed in Keystone's catalog.
const ENDPOINTS: &[(&str, &str, &str, &str)] = &[
    ("object-store", "internal", "one", "/internal-one"),
    ("object-store", "public", "one", "/public-one"),
    ("object-store", "public", "two", "/public-two"),
    ("archive", "public", "one", "/archive"),
];

/// Logs everybody in for so many seconds; has everything, and an object of 10 bytes that breaks off
/// before its first one.
fn cloud(life: i64) -> Peer {
    Peer::new(move |request| {
        let granted = keystone::log_in(request, SignedDuration::from_secs(life), ENDPOINTS);
        granted.unwrap_or_else(|| match request.method.as_str() {
            "GET" => Reply::of(206, b"x").broken_off(),
            _ => Reply::of(204, b""),
        })
    })
}

fn of_user(peer: &Peer, more: &str) -> Arc<dyn Store> {
    let auth = peer.url();
    let options = format!(
        "{more}\nswift_store_auth_address = {auth}/v3\nswift_store_user = service:swift\n\
         swift_store_key = pw"
    );
    store(&options).unwrap()
}

/// The bodies of the requests for tokens.
fn log_ins(peer: &Peer) -> Vec<Value> {
    peer.asked("POST /v3/auth/tokens").iter().map(Request::json).collect()
}

#[tokio::test]
async fn swift_is_where_the_options_say() {
    for (options, place) in [
        ("", "/public-one"),
        ("swift_store_endpoint_type = internalURL", "/internal-one"),
        ("swift_store_service_type = archive", "/archive"),
        ("swift_store_region = two", "/public-two"),
        ("swift_store_endpoint = {url}/given", "/given"),
    ] {
        let peer = cloud(3600);
        let options = options.replace("{url}", &peer.url());
        of_user(&peer, &options).probe().await.unwrap();
        assert_eq!(peer.asked(&format!("HEAD {place}/glance")).len(), 1, "{options}");
    }
    let nowhere = of_user(&cloud(3600), "swift_store_endpoint_type = adminURL").probe().await;
    let error = nowhere.unwrap_err().to_string();
    assert!(error.contains("no admin endpoint of a service object-store"), "{error}");
}

#[tokio::test]
async fn a_user_has_a_project_of_the_default_domain() {
    let peer = cloud(3600);
    of_user(&peer, "").probe().await.unwrap();
    let domain = json!({"id": "default"});
    let user = json!({"name": "swift", "password": "pw", "domain": domain});
    let expected = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "service", "domain": domain}},
    }});
    assert_eq!(log_ins(&peer), [expected]);
}

/// As in Glance: old locations don't say of which domain their users are.
#[tokio::test]
async fn a_user_of_a_location_is_of_the_domains_of_the_default_account() {
    let (file, peer) = (tempfile::NamedTempFile::new().unwrap(), cloud(3600));
    let at = peer.address;
    let section = |name: &str, user: &str, more: &str| {
        format!(
            "[{name}]\nuser = service:{user}\nkey = new\nauth_address = http://{at}/v3\n{more}\n"
        )
    };
    let domains = "user_domain_name = u\nproject_domain_id = p";
    let text = format!("{}{}", section("a", "x", ""), section("b", "y", domains));
    std::fs::write(file.path(), text).unwrap();
    let options = "default_swift_reference = b\nswift_store_config_file";
    let store = store(&format!("{options} = {}", file.path().display())).unwrap();
    // Of a user that is configured, too, its key counts.
    for (user, key) in [("z", "old"), ("y", "new")] {
        store.size(&format!("swift+http://service:{user}:old@{at}/v3/glance/x")).await.unwrap();
        let asked = log_ins(&peer).pop().unwrap();
        let (identity, scope) = (&asked["auth"]["identity"], &asked["auth"]["scope"]);
        let expected = json!({"name": user, "password": key, "domain": {"name": "u"}});
        assert_eq!(identity["password"]["user"], expected);
        assert_eq!(scope["project"], json!({"name": "service", "domain": {"id": "p"}}));
    }
}

/// It goes before a password; and Keystone takes no scope beside it, so that none is sent.
#[tokio::test]
async fn an_application_credential_is_of_the_project_that_it_was_made_in() {
    let credential = "swift_store_application_credential_id = i\n\
                      swift_store_application_credential_secret = s";
    for project in ["", "swift_store_project_name = p", "swift_store_project_id = 1"] {
        let peer = cloud(3600);
        of_user(&peer, &format!("{credential}\n{project}")).probe().await.unwrap();
        let expected = json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": "i", "secret": "s"},
        }}});
        assert_eq!(log_ins(&peer), [expected], "{project}");
    }
}

#[tokio::test]
async fn a_token_is_renewed_as_long_before_its_end_as_options_say() {
    for (life, options, times) in [
        (90, "", 1),
        (30, "", 2),
        (90, "swift_store_expire_soon_interval = 120", 2),
        (30, "swift_store_expire_soon_interval = 10", 1),
    ] {
        let peer = cloud(life);
        let store = of_user(&peer, options);
        store.probe().await.unwrap();
        store.probe().await.unwrap();
        assert_eq!(log_ins(&peer).len(), times, "{life} {options}");
    }
}

/// Glance's default, to give up at once, is not followed.
#[tokio::test]
async fn a_download_goes_on_as_often_as_options_say() {
    for (options, times) in
        [("", 4), ("swift_store_retry_get_count = 1", 4), ("swift_store_retry_get_count = 5", 6)]
    {
        let peer = cloud(3600);
        let store = of_user(&peer, options);
        let data = store.open("swift+config://ref1/glance/x", 0..10).await;
        let all = async { data?.try_for_each(async |_| Ok(())).await };
        let error = all.await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert_eq!(peer.asked("GET /public-one/glance/x").len(), times, "{options}");
    }
}

/// Logs everybody in, and has a container, or none, in which there is nothing.
fn empty(with_container: bool) -> Peer {
    Peer::new(move |request| {
        let granted = keystone::log_in(request, SignedDuration::from_hours(1), ENDPOINTS);
        let is_container = request.path.matches('/').count() == 2;
        granted.unwrap_or_else(|| match request.method.as_str() {
            "HEAD" if is_container && with_container => Reply::of(204, b""),
            "HEAD" => Reply::of(404, b""),
            "GET" => Reply::of(200, b"[]"),
            _ => Reply::of(201, b""),
        })
    })
}

#[tokio::test]
async fn a_container_is_made_where_options_say() {
    for (options, made) in [
        ("", None),
        ("swift_store_create_container_on_put = true", Some("glance")),
        ("swift_store_create_container_on_put = true\nswift_store_container = i", Some("i")),
    ] {
        let peer = empty(false);
        let done = of_user(&peer, options).put(ImageId::random(), Some(1), source(b"x")).await;
        assert_eq!(done.is_ok(), made.is_some(), "{options}: {done:?}");
        let asked = peer.asked("PUT /public-one/");
        let asked = asked.first().and_then(|request| request.path.strip_prefix("/public-one/"));
        assert_eq!(asked, made, "{options}");
    }
}

/// Sizes are in Glance's megabytes of Swift, 1,024,000 bytes.
#[tokio::test]
async fn objects_are_cut_where_options_say() {
    const BYTES: &[u8] = &[7; 2_500_000];
    for (options, segments) in [
        ("", 0),
        ("swift_store_large_object_size = 1", 1),
        ("swift_store_large_object_size = 1\nswift_store_large_object_chunk_size = 1", 3),
    ] {
        let (peer, id) = (empty(true), ImageId::random());
        let (store, size) = (of_user(&peer, options), BYTES.len() as u64);
        assert_eq!(store.put(id, Some(size), source(BYTES)).await.unwrap().size, size);
        let sent = peer.asked(&format!("PUT /public-one/glance/{id}-"));
        assert_eq!(sent.len(), segments, "{options}");
    }
}

#[tokio::test]
async fn a_server_is_believed_by_whom_options_let() {
    let peer = Peer::secure(|request| {
        let granted = keystone::log_in(request, SignedDuration::from_hours(1), &[]);
        granted.unwrap_or_else(|| Reply::of(204, b""))
    });
    let url = peer.url();
    let options = format!(
        "swift_store_endpoint = {url}/v1/AUTH_a\nswift_store_auth_address = {url}/v3\n\
         swift_store_user = service:swift\nswift_store_key = pw"
    );
    let (authorities, anybody) = ("swift_store_cacert", ["swift_store_auth_insecure"]);
    is_believed_as_options_say(&peer, "swift", &options, authorities, &anybody).await;
}

#[tokio::test]
async fn projects_that_options_name_may_write_into_the_containers_of_users() {
    for (options, writers) in [("", ""), ("swift_store_admin_tenants = a, b", "a:*,b:*")] {
        let peer = cloud(3600);
        let at = peer.url();
        let store = of_users(&format!("swift_store_endpoint = {at}/v1/AUTH_p\n{options}"));
        let store = store.on_behalf(&caller("p")).unwrap();
        let uri = format!("swift+{at}/v1/AUTH_p/images_x/x");
        store.share(&uri, &Readers::Projects(vec!["q".to_owned()])).await.unwrap();
        let asked = &peer.asked("POST /v1/AUTH_p/images_x")[0];
        assert_eq!(asked.header("x-container-write"), Some(writers), "{options}");
        assert_eq!(asked.header("x-container-read"), Some("q:*"));
    }
}
