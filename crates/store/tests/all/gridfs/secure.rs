//! Connections with TLS.

use std::env::var;

use store::Error;

use super::{Server, unique};
use crate::conformance::{Opened, pattern};

/// A store that speaks to its server with TLS, and how its connection string goes on.
fn opened(more: &str) -> Option<Opened> {
    let (server, name) = (Server::found()?, unique());
    let secure = var("TEST_MONGODB_TLS_ADDRESS").ok()?;
    let options = server.options(&name, &server.password);
    let options = options.replace("authSource", &format!("tls=true{more}&authSource"));
    let subject = server.subject(&name, options.clone());
    Some(Opened::with(subject, &options, Some(secure.parse().unwrap())))
}

#[tokio::test]
async fn authorities_are_those_of_the_connection_string() {
    let Ok(authorities) = var("TEST_MONGODB_CA_FILE") else { return };
    let Some(opened) = opened(&format!("&tlsCAFile={authorities}")) else { return };
    opened.store.probe().await.unwrap();
    opened.round(&pattern(600_000), None).await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_password() {
    let Some(opened) = opened("") else { return };
    let error = opened.store.probe().await.expect_err("nobody knows it");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn authorities_that_are_not_there_are_named() {
    let Some(opened) = opened("&tlsCAFile=/nowhere/ca.pem") else { return };
    let error = opened.store.probe().await.expect_err("there is no such file");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}
