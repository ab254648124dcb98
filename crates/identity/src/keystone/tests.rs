mod options;

use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::testing::{Fake, OWN_LIFE, described};
use super::*;

const REFUSED: Result<(), Error> = Err(Error::NotAuthenticated);
const UNAVAILABLE: Result<(), Error> = Err(Error::Unavailable);

async fn outcome(keystone: &Keystone, token: &str) -> Result<(), Error> {
    keystone.authenticate(token).await.map(drop)
}

async fn passed_on(keystone: &Keystone, token: &str, service: &str) -> Result<Arc<Caller>, Error> {
    keystone
        .admit(Shown { token: Some(token), service_token: Some(service), ..Shown::default() })
        .await
}

fn advance(keystone: &Keystone, seconds: i64) {
    keystone.0.clock.advance(SignedDuration::from_secs(seconds));
}

async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let all = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("it did not happen in time");
}

#[tokio::test]
async fn a_token_is_asked_about_once() {
    let fake = Fake::start().await;
    fake.issue("t", &["Member", "reader"], 3600);
    let keystone = fake.keystone();
    let caller = keystone.authenticate(" t ").await.unwrap();
    assert_eq!((caller.user_id.as_str(), caller.user_domain_id.as_str()), ("u", "ud"));
    assert_eq!(caller.project_id.as_deref(), Some("p"));
    assert_eq!(caller.project_domain_id.as_deref(), Some("pd"));
    assert_eq!(caller.roles, ["member", "reader"]);
    assert!(!caller.is_admin && caller.is_admin_project && caller.service.is_none());
    for _ in 0..10 {
        assert!(Arc::ptr_eq(&keystone.authenticate("t").await.unwrap(), &caller));
    }
    assert_eq!(fake.counts(), (1, 1));
}

#[tokio::test]
async fn the_scopes_of_tokens_are_told_apart() {
    let fake = Fake::start().await;
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let mut system = described(&["admin"], later);
    system["system"] = json!({"all": true});
    let mut domain = described(&["admin"], later);
    domain["domain"] = json!({"id": "d", "name": "D"});
    domain["is_admin_project"] = json!(false);
    fake.told().tokens.extend([("s".to_owned(), system), ("d".to_owned(), domain)]);
    let keystone = fake.keystone();
    let system = keystone.authenticate("s").await.unwrap();
    assert_eq!((system.system_scope.as_deref(), &system.project_id), (Some("all"), &None));
    assert!(system.is_admin);
    let domain = keystone.authenticate("d").await.unwrap();
    assert_eq!((domain.domain_id.as_deref(), domain.is_admin_project), (Some("d"), false));
}

#[tokio::test]
async fn a_refused_token_is_asked_about_again_only_after_a_while() {
    let fake = Fake::start().await;
    let keystone = fake.keystone();
    for _ in 0..3 {
        assert_eq!(outcome(&keystone, "made-up").await, REFUSED);
    }
    assert_eq!(fake.told().validations, 1);
    advance(&keystone, 5);
    fake.issue("made-up", &["member"], 3600);
    assert_eq!(outcome(&keystone, "made-up").await, Ok(()));
    for token in ["", " ", "x".repeat(MAX_TOKEN + 1).as_str()] {
        assert_eq!(outcome(&keystone, token).await, REFUSED);
    }
    assert_eq!(fake.told().validations, 2);
}

#[tokio::test]
async fn who_comes_with_one_token_at_one_time_shares_one_question() {
    let fake = Fake::start().await;
    fake.issue("t", &["member"], 3600);
    let keystone = fake.keystone();
    fake.close_gate();
    let all = join_all((0..50).map(|_| outcome(&keystone, "t")));
    let open = async {
        eventually(async || fake.told().validations > 0).await;
        fake.open_gate();
    };
    let (all, ()) = tokio::join!(all, open);
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(fake.counts(), (1, 1));
}

#[tokio::test]
async fn a_revoked_token_is_refused_once_the_cache_time_is_over() {
    let fake = Fake::start().await;
    fake.issue("t", &["member"], 3600);
    let keystone = fake.keystone();
    assert_eq!(outcome(&keystone, "t").await, Ok(()));
    fake.told().tokens.clear();
    advance(&keystone, 299);
    assert_eq!(outcome(&keystone, "t").await, Ok(()));
    advance(&keystone, 1);
    assert_eq!(outcome(&keystone, "t").await, REFUSED);
}

#[tokio::test]
async fn our_own_token_is_renewed_before_it_ends_and_when_it_is_refused() {
    let fake = Fake::start().await;
    let keystone = fake.keystone();
    fake.issue("a", &["member"], 36_000);
    fake.issue("b", &["member"], 36_000);
    assert_eq!(outcome(&keystone, "a").await, Ok(()));
    advance(&keystone, OWN_LIFE.as_secs() - 60);
    assert_eq!(outcome(&keystone, "a").await, Ok(()));
    assert_eq!(fake.told().logins.len(), 2);
    fake.told().own.clear();
    assert_eq!(outcome(&keystone, "b").await, Ok(()));
    assert_eq!(fake.told().logins.len(), 3);
}

#[tokio::test]
async fn a_keystone_that_fails_opens_no_door_and_closes_none_that_is_open() {
    let fake = Fake::start().await;
    fake.issue("known", &["member"], 3600);
    fake.issue("new", &["member"], 3600);
    let keystone = fake.keystone();
    assert_eq!(outcome(&keystone, "known").await, Ok(()));
    for status in [500, 503, 429, 403, 302] {
        fake.told().broken = Some(StatusCode::from_u16(status).unwrap());
        assert_eq!(outcome(&keystone, "new").await, UNAVAILABLE, "{status}");
        assert_eq!(outcome(&keystone, "known").await, Ok(()), "{status}");
    }
    fake.told().broken = None;
    assert_eq!(outcome(&keystone, "new").await, Ok(()));
}

#[tokio::test]
async fn a_keystone_that_comes_back_is_asked_again() {
    let fake = Fake::start().await;
    let keystone = fake.keystone();
    let address = fake.stop().await;
    assert_eq!(outcome(&keystone, "t").await, UNAVAILABLE);
    let fake = Fake::at(&address).await;
    fake.issue("t", &["member"], 3600);
    eventually(async || {
        advance(&keystone, 1);
        outcome(&keystone, "t").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn connections_that_are_closed_behind_an_answer_do_no_harm() {
    let fake = Fake::start().await;
    let keystone = Keystone::new(fake.impolite().await).unwrap();
    for number in 0..50 {
        let token = number.to_string();
        fake.issue(&token, &["member"], 3600);
        assert_eq!(outcome(&keystone, &token).await, Ok(()), "{number}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_not_tried_again_and_again() {
    let fake = Fake::start().await;
    let credentials = Credentials::password("glance", "wrong", "service");
    let keystone = Keystone::new(Settings { credentials, ..fake.settings() }).unwrap();
    for _ in 0..5 {
        assert_eq!(outcome(&keystone, "t").await, UNAVAILABLE);
    }
    assert_eq!(fake.told().logins.len(), 1);
    advance(&keystone, 2);
    assert_eq!(outcome(&keystone, "t").await, UNAVAILABLE);
    assert_eq!(fake.told().logins.len(), 2);
}

#[tokio::test]
async fn a_service_goes_on_with_an_expired_token() {
    let fake = Fake::start().await;
    fake.issue("expired", &["member"], -10);
    fake.issue("service", &["service"], 3600);
    fake.issue("nobody", &["member"], 3600);
    let keystone = fake.keystone();
    assert_eq!(outcome(&keystone, "expired").await, REFUSED);
    let caller = passed_on(&keystone, "expired", "service").await.unwrap();
    assert_eq!(caller.roles, ["member"]);
    assert_eq!(caller.service.as_ref().unwrap().roles, ["service"]);
    assert_eq!(outcome(&keystone, "expired").await, REFUSED);
    for service in ["nobody", "made-up", "expired"] {
        assert!(passed_on(&keystone, "expired", service).await.is_err(), "{service}");
        let caller = passed_on(&keystone, "nobody", service).await.unwrap();
        assert!(caller.service.is_none(), "{service}");
    }
    assert!(passed_on(&keystone, "made-up", "service").await.is_err());
    assert!(keystone.admit(Shown::default()).await.is_err());
}

#[tokio::test]
async fn a_token_for_certain_requests_is_good_for_no_other() {
    let fake = Fake::start().await;
    fake.issue("t", &["member"], 3600);
    fake.issue("service", &["service"], 3600);
    let rules = json!([{"id": "x", "service": "image", "method": "GET", "path": "/v2/images/*"}]);
    fake.told().tokens.get_mut("t").unwrap()["application_credential"] =
        json!({"id": "c", "name": "c", "restricted": true, "access_rules": rules});
    let service_type = Some("image".to_owned());
    let keystone = Keystone::new(Settings { service_type, ..fake.settings() }).unwrap();
    let shown = |method| Shown {
        token: Some("t"),
        service_token: None,
        asked: Asked { method, path: "/v2/images/1" },
    };
    assert!(keystone.admit(shown("GET")).await.is_ok());
    assert!(keystone.admit(shown("DELETE")).await.is_err());
    let passed_on = Shown { service_token: Some("service"), ..shown("DELETE") };
    assert!(keystone.admit(passed_on).await.is_ok());
    assert!(fake.keystone().admit(shown("GET")).await.is_err(), "nobody said what we are");
}

#[tokio::test]
async fn tokens_are_validated_where_the_catalog_says() {
    let (fake, elsewhere) = (Fake::start().await, Fake::start().await);
    elsewhere.told().own.push("own-1".to_owned());
    elsewhere.issue("t", &["member"], 3600);
    fake.told().endpoint = format!("{}/", elsewhere.url);
    let in_region = |region: &str| {
        let region = Some(region.to_owned());
        Keystone::new(Settings { region, ..fake.settings() }).unwrap()
    };
    assert_eq!(outcome(&in_region("R"), "t").await, Ok(()));
    fake.issue("t", &["member"], 3600);
    assert_eq!(outcome(&in_region("unknown"), "t").await, Ok(()));
    assert_eq!((elsewhere.counts(), fake.counts()), ((0, 1), (2, 1)));
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n").unwrap();
    let credentials = Credentials::password("glance", "secret", "service");
    let settings = Settings::new("https://k", credentials);
    let with = |trust| Keystone::new(Settings { trust, ..settings.clone() }).err().unwrap();
    let missing = with(Trust { certificate: Some("/no/such.pem".into()), ..Trust::default() });
    assert!(missing.to_string().contains("/no/such.pem"), "{missing}");
    let broken = with(Trust { authorities: Some(file), ..Trust::default() });
    assert!(broken.to_string().contains("ca.pem"), "{broken}");
}
