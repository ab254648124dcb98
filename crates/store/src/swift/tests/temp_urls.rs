//! Temporary URLs: what is signed, with what, and what is asked before one is handed out.

use jiff::{SignedDuration, Timestamp};
use openssl::hash::MessageDigest;
use reqwest::Url;

use super::*;
use crate::remote::{decode, hex, hmac};
use crate::testing::{Request, keystone};

const KEY: &str = "swift_temp_url_key = of-the-account";

/// Logs everybody in, and answers all else so, as of an image of 7 bytes.
fn swift(status: u16) -> Peer {
    with_type(status, "application/octet-stream")
}

fn with_type(status: u16, kind: &'static str) -> Peer {
    Peer::new(move |request| {
        let endpoints = &[("object-store", "public", "one", "/v1/AUTH_a")];
        let granted = keystone::log_in(request, SignedDuration::from_hours(1), endpoints);
        let object = || Reply::of(status, b"7 bytes").with("Content-Type", kind);
        granted.unwrap_or_else(object)
    })
}

fn at(peer: &Peer, options: &str) -> Arc<dyn Store> {
    let options = options.replace("{url}", &peer.url());
    let auth = peer.url();
    store(&format!(
        "swift_store_auth_address = {auth}/v3\nswift_store_user = service:swift\n\
         swift_store_key = pw\n{options}"
    ))
    .unwrap()
}

/// The value of a parameter of a URL's query.
fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("{name} is not in {url}")).1.into_owned()
}

#[tokio::test]
async fn an_object_is_opened_by_a_signature_of_its_path() {
    let sha256 = MessageDigest::sha256;
    for (options, container, url, path, digest) in [
        ("", "glance", "/v1/AUTH_a/glance/x", "/v1/AUTH_a/glance/x", sha256()),
        (
            "swift_temp_url_digest = sha1",
            "glance",
            "/v1/AUTH_a/glance/x",
            "/v1/AUTH_a/glance/x",
            MessageDigest::sha1(),
        ),
        (
            "swift_store_endpoint = {url}/swift/v1",
            "glance",
            "/swift/v1/glance/x",
            "/v1/glance/x",
            sha256(),
        ),
        (
            "swift_store_endpoint = {url}/v1.0/AUTH_%C3%A4/",
            "gl\u{e4}nce #1",
            "/v1.0/AUTH_%C3%A4/gl%C3%A4nce%20%231/x",
            "/v1.0/AUTH_\u{e4}/gl\u{e4}nce #1/x",
            sha256(),
        ),
        (
            "swift_store_endpoint = {url}/of/proxies",
            "glance",
            "/of/proxies/glance/x",
            "/of/proxies/glance/x",
            sha256(),
        ),
    ] {
        let peer = swift(200);
        let options = format!("{KEY}\nswift_store_container = {container}\n{options}");
        let store = at(&peer, &options);
        let uri = format!("swift+config://ref1/{container}/x");
        let direct = store.direct(&uri).await.unwrap().unwrap();
        assert_eq!(direct.size, 7);
        let found: Url = direct.url.expose().parse().unwrap();
        assert_eq!(decode(found.path()), decode(url), "{options}");
        let end = parameter(&found, "temp_url_expires");
        let text = format!("GET\n{end}\n{path}");
        let signature = hex(&hmac(digest, b"of-the-account", &text).unwrap());
        assert_eq!(parameter(&found, "temp_url_sig"), signature, "{options}");
    }
}

#[tokio::test]
async fn a_url_ends_when_the_options_say() {
    for (option, seconds) in [("", 1200), ("swift_temp_url_duration = 5", 5)] {
        let store = at(&swift(200), &format!("{KEY}\n{option}"));
        let before = Timestamp::now().as_second();
        let direct = store.direct("swift+config://ref1/glance/x").await.unwrap().unwrap();
        let after = Timestamp::now().as_second();
        let url: Url = direct.url.expose().parse().unwrap();
        let end: i64 = parameter(&url, "temp_url_expires").parse().unwrap();
        assert!((before + seconds..=after + seconds).contains(&end), "{option}: {end}");
    }
}

#[tokio::test]
async fn a_url_is_tried_without_a_token_before_it_is_handed_out() {
    let peer = swift(200);
    let store = at(&peer, KEY);
    let direct = store.direct("swift+config://ref1/glance/x").await.unwrap().unwrap();
    let asked: Vec<Request> = peer.asked("HEAD /v1/AUTH_a/glance/x?");
    assert_eq!(asked.len(), 1);
    assert!(direct.url.expose().ends_with(&asked[0].path), "{}", asked[0].path);
    assert_eq!(asked[0].header("x-auth-token"), None);
    assert!(!format!("{direct:?}").contains("temp_url_sig"));
}

#[tokio::test]
async fn what_a_url_does_not_open_is_told_without_secrets() {
    let kind = |error: &Error| match error {
        Error::Forbidden { .. } => "forbidden",
        Error::NotFound(_) => "not found",
        Error::Unavailable { .. } => "unavailable",
        _ => "another",
    };
    for (status, expected) in
        [(401, "forbidden"), (403, "forbidden"), (404, "not found"), (503, "unavailable")]
    {
        let peer = swift(status);
        let error = at(&peer, KEY).direct("swift+config://ref1/glance/x").await.unwrap_err();
        assert_eq!(kind(&error), expected, "{status}: {error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("of-the-account") && !text.contains("temp_url_sig"), "{text}");
        assert_eq!(peer.asked("HEAD").len(), 1, "{status}");
    }
}

#[tokio::test]
async fn without_a_key_no_url_is_made() {
    for options in ["", "swift_temp_url_key =", "swift_temp_url_duration = 60"] {
        let peer = swift(200);
        let direct = at(&peer, options).direct("swift+config://ref1/glance/x").await;
        assert_eq!(direct.unwrap(), None, "{options}");
        assert_eq!(peer.asked("").len(), 0, "{options}");
    }
}

/// glanceclient takes an object of another type for text.
#[tokio::test]
async fn an_object_of_another_type_has_no_url() {
    let store = at(&with_type(200, "binary/octet-stream"), KEY);
    assert_eq!(store.direct("swift+config://ref1/glance/x").await.unwrap(), None);
}

/// The key is one account's.
#[tokio::test]
async fn objects_of_other_accounts_have_no_url() {
    let peer = swift(200);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("swift.conf");
    let account = |name| {
        let auth = peer.url();
        format!("[{name}]\nuser = {name}:u\nkey = k\nauth_address = {auth}/v3\n")
    };
    std::fs::write(&file, format!("{}{}", account("ref1"), account("other"))).unwrap();
    let store = store(&format!("{KEY}\nswift_store_config_file = {}", file.display())).unwrap();
    for (uri, is_there) in [
        ("swift+config://ref1/glance/x".to_owned(), true),
        ("swift+config://other/glance/x".to_owned(), false),
        (format!("swift+http://ref1:u:old@{}/v3/glance/x", peer.address), true),
    ] {
        assert_eq!(store.direct(&uri).await.unwrap().is_some(), is_there, "{uri}");
    }
}

#[test]
fn options_that_can_not_be_are_named() {
    for (option, named) in [
        ("swift_temp_url_duration = 0", "at least 1"),
        ("swift_temp_url_duration = -1", "swift_temp_url_duration"),
        ("swift_temp_url_digest = md5", "sha256 or sha1"),
    ] {
        let error = store(&format!("{OWN}\n{KEY}\n{option}")).err().expect(option);
        assert!(error.contains(named), "{option}: {error}");
    }
}
