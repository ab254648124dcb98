mod failing;
mod keystone;
mod reading;
mod temp_urls;

use std::sync::Arc;

use client::Secret;
use image::ImageId;

use crate::testing::{Peer, Reply, source};
use crate::{Error, Principal, Store};

fn store(options: &str) -> Result<Arc<dyn Store>, String> {
    crate::testing::store("swift", options)
}

const OWN: &str = "swift_store_auth_address = http://keystone:5000/v3\n\
                   swift_store_user = service:swift\nswift_store_key = pw";

#[test]
fn locations_are_of_the_accounts_that_are_known() {
    let store = store(OWN).unwrap();
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
    let store = store(&option).unwrap();
    for uri in ["swift+config://ref1/glance/x", "swift+config://old/glance/x"] {
        assert!(store.holds(uri), "{uri}");
    }
    let wrong = self::store(&format!("{option}\ndefault_swift_reference = none"));
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
        (
            "swift_store_auth_address = http://k/v3\nswift_store_application_credential_id = i",
            "swift_store_application_credential_secret",
        ),
        (
            &format!("{OWN}\nswift_store_application_credential_secret = s"),
            "swift_store_application_credential_id",
        ),
        (&format!("{OWN}\nswift_store_retry_get_count = -1"), "swift_store_retry_get_count"),
        (&format!("{OWN}\nswift_store_expire_soon_interval = x"), "expire_soon_interval"),
    ] {
        let error = store(options).err().expect(options);
        assert!(error.contains(named), "{options}: {error}");
    }
}

#[test]
fn objects_are_cut_where_glance_cuts_them() {
    let sizes = "swift_store_large_object_size = 20\nswift_store_large_object_chunk_size = 5";
    let shown = store(&format!("{OWN}\n{sizes}")).unwrap().properties();
    assert_eq!(shown["large_object_size"], 20_480_000);
    assert_eq!(shown["large_object_chunk_size"], 5_120_000);
}

const TENANTS: &str = "swift_store_multi_tenant = true\nswift_store_container = images";

fn of_users(more: &str) -> Arc<dyn Store> {
    store(&format!("{TENANTS}\n{more}")).unwrap()
}

const KEYSTONE: &str = "[keystone_authtoken]\nauth_url = http://keystone:5000";

#[test]
fn accounts_of_users_need_a_keystone_or_a_place() {
    assert!(store(TENANTS).err().unwrap().contains("[keystone_authtoken] auth_url"));
    for enough in [KEYSTONE, "swift_store_endpoint = http://swift/v1/AUTH_all"] {
        assert!(of_users(enough).abilities().shares);
    }
}

#[test]
fn locations_in_accounts_of_users_have_containers_of_their_own() {
    let store = of_users(KEYSTONE);
    for (held, uri) in [
        (true, "swift+http://swift:8080/v1/AUTH_p/images_x/x"),
        (true, "swift+https://swift/v1/AUTH_p/images_x/x"),
        (false, "swift+https://swift/v1/AUTH_p/images/x"),
        (false, "swift+https://swift/v1/AUTH_p/other_x/x"),
        (false, "swift+config://ref1/images_x/x"),
        (false, "swift+https://a:u:k@keystone/v3/images_x/x"),
    ] {
        assert_eq!(store.holds(uri), held, "{uri}");
    }
}

/// Who uses an account that every project has at the same place.
fn caller(project: &str) -> Principal {
    Principal { token: Secret::new("of-caller"), project: project.to_owned() }
}

#[tokio::test]
async fn nobody_but_a_user_has_an_account() {
    let store = of_users("swift_store_endpoint = http://127.0.0.1:1/v1/AUTH_all");
    let id = ImageId::random();
    let refused = store.put(id, None, source(b"")).await.unwrap_err();
    assert!(matches!(refused, Error::Forbidden { .. }), "{refused}");
    let uri = format!("swift+http://127.0.0.1:1/v1/AUTH_all/images_{id}/{id}");
    let refused = store.open(&uri, 0..1).await.err().unwrap();
    assert!(matches!(refused, Error::Forbidden { .. }), "{refused}");
}

#[tokio::test]
async fn a_token_is_shown_to_no_place_that_a_record_makes_up() {
    let store = of_users("swift_store_endpoint = http://127.0.0.1:1/v1/AUTH_all");
    let store = store.on_behalf(&caller("p")).unwrap();
    for uri in [
        "swift+http://127.0.0.1:2/v1/AUTH_all/images_x/x",
        "swift+https://127.0.0.1:1/v1/AUTH_all/images_x/x",
        "swift+http://elsewhere/v1/AUTH_all/images_x/x",
    ] {
        let refused = store.size(uri).await.unwrap_err();
        assert!(matches!(refused, Error::BadLocation(_)), "{uri}: {refused}");
    }
}

/// A server that logs everybody in as the service, and has an object of 7 bytes.
fn server() -> Peer {
    Peer::new(|request| {
        let account = format!("http://{}/v1/s", request.header("host").unwrap());
        let granted = Reply::of(200, b"7 bytes").with("X-Auth-Token", "of-service");
        granted.with("X-Storage-Url", &account)
    })
}

#[tokio::test]
async fn the_service_vouches_for_callers_where_it_may() {
    for (option, vouches) in [("", true), ("swift_store_use_trusts = false", false)] {
        let server = server();
        let at = server.address;
        let store = of_users(&format!(
            "swift_store_endpoint = http://{at}/v1/all\nswift_store_auth_version = 1\n\
             swift_store_auth_address = http://{at}/auth\nswift_store_user = a:u\n\
             swift_store_key = k\n{option}"
        ));
        let store = store.on_behalf(&caller("p")).unwrap();
        let size = store.size(&format!("swift+http://{at}/v1/all/images_x/x")).await;
        assert_eq!(size.unwrap(), 7);
        assert_eq!(server.asked("GET /auth").len(), usize::from(vouches));
        let asked = &server.asked("HEAD /v1/all/images_x/x")[0];
        assert_eq!(asked.header("x-auth-token"), Some("of-caller"));
        assert_eq!(asked.header("x-service-token"), vouches.then_some("of-service"));
    }
}

/// The names of Glance's `get_container_name`.
#[test]
fn containers_are_named_by_beginnings_of_ids() {
    let name = |seed: usize| {
        let store = store(&format!("{OWN}\nswift_store_multiple_containers_seed = {seed}"));
        store.unwrap().holds("swift+config://ref1/glance_6f1a2c3d-4/x")
    };
    assert!(name(9) && !name(0));
}
