//! Logging in, again if need be, and trying again.

use axum::http::{Method, StatusCode};
use client::cloud::{Cloud, Environment};
use client::{Error, NewImage, Retry, Session};

use crate::fake_glance::{Fault, PASSWORD, start};

const ID: &str = "11111111-1111-4111-8111-111111111111";

#[tokio::test]
async fn the_first_request_logs_in_and_the_next_ones_reuse_the_token() {
    let fake = start().await;
    fake.add(ID, "disk", vec![1]);
    let images = fake.images();
    images.show(ID).await.unwrap();
    images.show(ID).await.unwrap();
    assert_eq!(fake.seen(Method::POST, "/tokens").len(), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let fake = start().await;
    fake.add(ID, "disk", vec![1]);
    let images = fake.images();
    images.show(ID).await.unwrap();
    fake.revoke_tokens();
    images.show(ID).await.unwrap();
    assert_eq!(fake.seen(Method::POST, "/tokens").len(), 2);

    for _ in 0..2 {
        fake.fail(Method::GET, ID, Fault::Status(StatusCode::UNAUTHORIZED));
    }
    assert_eq!(images.show(ID).await.unwrap_err().status(), Some(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn a_wrong_password_is_told_without_the_password() {
    let fake = start().await;
    let error = fake.session("hunter2").images().show(ID).await.unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
    assert!(error.to_string().ends_with("user 'ann': Wrong credentials."), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_busy_service_is_asked_again_until_the_attempts_end() {
    let fake = start().await;
    fake.add(ID, "disk", vec![1]);
    let images = fake.images();
    let busy = || fake.fail(Method::GET, ID, Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    (0..3).for_each(|_| busy());
    images.show(ID).await.unwrap();
    (0..4).for_each(|_| busy());
    let error = images.show(ID).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(fake.seen(Method::GET, ID).len(), 8);
}

#[tokio::test]
async fn a_registration_is_never_sent_twice() {
    let fake = start().await;
    let images = fake.images();
    fake.fail(Method::POST, "/images", Fault::Status(StatusCode::BAD_GATEWAY));
    let error = images.create(&NewImage::named("x")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY));
    assert_eq!(fake.seen(Method::POST, "/images").len(), 1);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let variables = [("OS_IMAGE_ENDPOINT_OVERRIDE", "http://127.0.0.1:1/")];
    let cloud = Cloud::find(None, &Environment::of(variables, "/nonexistent")).unwrap();
    let once = Retry { attempts: 1, ..Retry::default() };
    let error = Session::new(cloud, once).unwrap().images().show(ID).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no answer from http://127.0.0.1:1/v2/images/{ID}"));
}

#[tokio::test]
async fn a_token_may_be_given_and_nobody_is_asked() {
    let fake = start().await;
    fake.add(ID, "disk", vec![1]);
    let endpoint = format!("{}/image/v2", fake.address);
    let variables = [("OS_ENDPOINT_OVERRIDE", endpoint.as_str()), ("OS_TOKEN", "token 0")];
    let cloud = Cloud::find(None, &Environment::of(variables, "/nonexistent")).unwrap();
    let images = Session::new(cloud, Retry::default()).unwrap().images();
    images.show(ID).await.unwrap();
    assert!(fake.seen(Method::POST, "/tokens").is_empty());
    assert!(!format!("{:?}", fake.session(PASSWORD).cloud()).contains(PASSWORD));
}

#[tokio::test]
async fn a_service_may_move_within_its_origin() {
    let fake = start().await;
    fake.add(ID, "disk", vec![1]);
    fake.fail(Method::GET, ID, Fault::Elsewhere(format!("/image/v2/images/{ID}")));
    fake.images().show(ID).await.unwrap();
}

#[tokio::test]
async fn a_token_and_a_password_stay_with_their_service() {
    let (fake, other) = (start().await, start().await);
    let place = |path: &str| Fault::Elsewhere(format!("{}{path}", other.address));
    fake.fail(Method::POST, "/tokens", place("/identity/v3/auth/tokens"));
    let error = fake.images().show(ID).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    fake.fail(Method::POST, "/images", place("/image/v2/images"));
    let error = fake.images().create(&NewImage::named("x")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    fake.add(ID, "disk", vec![1]);
    for _ in 0..2 {
        fake.fail(Method::GET, ID, place(&format!("/image/v2/images/{ID}")));
    }
    let error = fake.images().show(ID).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let seen = other.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| !seen.headers.contains_key("x-auth-token")));
}
