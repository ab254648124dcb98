//! Swift, with log-ins of its own (`TEST_SWIFT_AUTH`) and Keystone's (`TEST_SWIFT_KEYSTONE`), and
//! the RADOS Gateway's imitation of it (`TEST_RGW_SWIFT_AUTH`).

use std::env::var;
use std::net::SocketAddr;

use crate::conformance::{Subject, suite};
use crate::keystone::{administrator, project};

/// Containers of the tests; each subject has one of its own.
fn container() -> String {
    format!("tintype-{}", image::ImageId::random())
}

/// Small segments, so that images of tests have several.
const CUTTING: &str = "swift_store_create_container_on_put = true\n\
                       swift_store_large_object_size = 20\nswift_store_large_object_chunk_size = 5";

/// The key of temporary URLs.
const KEY: &str = "of-temporary-urls";
const NAME: &str = "x-account-meta-temp-url-key";

/// Sets it on an account, which other tests may do at the same time: a RADOS Gateway refuses one of
/// two changes.
async fn set_key(auth: &str, user: &str, key: &str) {
    let http = reqwest::Client::new();
    let log_in = http.get(auth).header("x-auth-user", user).header("x-auth-key", key);
    let granted = log_in.send().await.unwrap();
    let header = |name: &str| granted.headers()[name].to_str().unwrap();
    let ask = async |method: reqwest::Method| {
        let request = http.request(method, header("x-storage-url"));
        let request = request.header("x-auth-token", header("x-auth-token")).header(NAME, KEY);
        request.send().await.unwrap()
    };
    for _ in 0..20 {
        let account = ask(reqwest::Method::HEAD).await;
        if account.headers().get(NAME).is_some_and(|set| set == KEY) {
            return;
        }
        ask(reqwest::Method::POST).await;
    }
    panic!("the key of {auth} can't be set");
}

/// The same account, from which clients may read by themselves.
async fn with_temporary_urls(prefix: &str, digest: &str) -> Option<Subject> {
    let mut subject = own_log_ins(prefix).await?;
    let value = |name: &str| var(format!("{prefix}_{name}")).unwrap();
    set_key(&value("AUTH"), &value("USER"), &value("KEY")).await;
    let more = format!("\nswift_temp_url_key = {KEY}\nswift_temp_url_digest = {digest}");
    subject.options += &more;
    subject.secrets.push(KEY.to_owned());
    subject.direct = true;
    Some(subject)
}

async fn own_log_ins(prefix: &str) -> Option<Subject> {
    let auth = var(format!("{prefix}_AUTH")).ok()?;
    let user = var(format!("{prefix}_USER")).unwrap();
    let key = var(format!("{prefix}_KEY")).unwrap();
    let (address, path) = auth.strip_prefix("http://")?.split_once('/')?;
    let options = |container: &str, key: &str| {
        format!(
            "swift_store_auth_address = http://{{server}}/{path}\nswift_store_user = {user}\n\
             swift_store_key = {key}\nswift_store_auth_version = 1\n\
             swift_store_container = {container}\n{CUTTING}"
        )
    };
    let container = container();
    Some(Subject {
        server: Some(address.parse().unwrap()),
        wrong_credentials: Some(options(&container, "not-this-one")),
        odd_names: Some(options(&format!("An odd #container? 100% {container} \u{e4}"), &key)),
        secrets: vec![key.clone(), "not-this-one".to_owned()],
        ..Subject::new("swift", options(&container, &key))
    })
}

async fn tempauth() -> Option<Subject> {
    with_temporary_urls("TEST_SWIFT", "sha256").await
}

async fn several_containers() -> Option<Subject> {
    let subject = tempauth().await?;
    let options = format!("{}\nswift_store_multiple_containers_seed = 10", subject.options);
    Some(Subject { options, ..subject })
}

/// Before Ceph 18 it knows SHA-1 alone.
async fn gateway() -> Option<Subject> {
    with_temporary_urls("TEST_RGW_SWIFT", "sha1").await
}

/// The account's URL is given, so that the proxies of the tests stand before Swift.
async fn keystone() -> Option<Subject> {
    let account = var("TEST_SWIFT_KEYSTONE").ok()?;
    let (auth, password) = (var("TEST_KEYSTONE_URL").ok()?, var("TEST_KEYSTONE_PASSWORD").ok()?);
    let (address, path) = account.strip_prefix("http://")?.split_once('/')?;
    let project = project(&auth, &password).await;
    let options = |container: &str, password: &str| {
        format!(
            "swift_store_auth_address = {auth}\nswift_store_user = admin:admin\n\
             swift_store_key = {password}\n\
             swift_store_endpoint = http://{{server}}/{path}{project}\n\
             swift_store_container = {container}\n{CUTTING}"
        )
    };
    let container = container();
    let server: SocketAddr = address.parse().unwrap();
    Some(Subject {
        server: Some(server),
        wrong_credentials: Some(options(&container, "not-this-one")),
        odd_names: Some(options(&format!("An odd #container? 100% {container}"), &password)),
        secrets: vec!["not-this-one".to_owned()],
        ..Subject::new("swift", options(&container, &password))
    })
}

/// In the account of a caller, which is at a place that is given.
async fn in_an_account() -> Option<Subject> {
    let account = var("TEST_SWIFT_KEYSTONE").ok()?;
    let (auth, password) = (var("TEST_KEYSTONE_URL").ok()?, var("TEST_KEYSTONE_PASSWORD").ok()?);
    let (address, path) = account.strip_prefix("http://")?.split_once('/')?;
    let caller = administrator(&auth, &password).await;
    let options = |container: &str| {
        let project = &caller.project;
        format!(
            "swift_store_multi_tenant = true\n\
             swift_store_endpoint = http://{{server}}/{path}{project}\n\
             swift_store_container = {container}\n{CUTTING}"
        )
    };
    let container = container();
    Some(Subject {
        server: Some(address.parse().unwrap()),
        odd_names: Some(options(&format!("An odd #container? 100% {container}"))),
        secrets: vec![caller.token.expose().to_owned()],
        caller: Some(caller.clone()),
        ..Subject::new("swift", options(&container))
    })
}

mod own {
    use super::*;
    suite!(tempauth);
}

mod several {
    use super::*;
    suite!(several_containers);
}

mod rgw {
    use super::*;
    suite!(gateway);
}

mod with_keystone {
    use super::*;
    suite!(keystone);
}

mod of_tenants {
    use super::*;
    suite!(in_an_account);
}
