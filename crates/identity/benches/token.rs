//! What a token costs that Keystone was asked about before:
//! `cargo bench -p tintype-identity --bench token`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use identity::keystone::{Credentials, Keystone, Settings};
use identity::{Authenticator, Shown};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Requests that are timed.
const ROUNDS: u32 = 200_000;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let log_in = || async { (StatusCode::CREATED, [("x-subject-token", "own")], answer()) };
    let app = Router::new().route("/v3/auth/tokens", get(answer_about).post(log_in));
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let credentials = Credentials::password("glance", "secret", "service");
    let keystone = Keystone::new(Settings::new(&url, credentials)).unwrap();

    // As long as a Fernet token.
    let (token, service) = ("t".repeat(200), "s".repeat(200));
    let alone = Shown { token: Some(&token), ..Shown::default() };
    measure(&keystone, "a user's token", alone).await;
    let passed_on = Shown { service_token: Some(&service), ..alone };
    measure(&keystone, "a user's token, passed on by a service", passed_on).await;
    server.abort();
}

async fn measure(keystone: &Keystone, what: &str, shown: Shown<'_>) {
    keystone.admit(shown).await.unwrap();
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(keystone.admit(shown).await.unwrap());
    }
    println!("{:>8.0} ns  {what}", start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
}

async fn answer_about() -> Json<Value> {
    answer()
}

fn answer() -> Json<Value> {
    let domain = json!({"id": "default", "name": "Default"});
    Json(json!({"token": {
        "user": {"id": "u", "name": "user", "domain": domain},
        "project": {"id": "p", "name": "project", "domain": domain},
        "roles": [{"name": "member"}, {"name": "reader"}, {"name": "service"}],
        "expires_at": "2999-01-01T00:00:00Z",
    }}))
}
