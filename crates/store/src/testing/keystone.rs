//! A Keystone that a test plays.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Reply, Request};

/// Logs everybody in, for as long as `life`: the answer to a request for a token, with a catalog of
/// endpoints `(type, interface, region, path)` at the very server.
pub(crate) fn log_in(
    request: &Request,
    life: SignedDuration,
    endpoints: &[(&str, &str, &str, &str)],
) -> Option<Reply> {
    if request.line() != "POST /v3/auth/tokens" {
        return None;
    }
    let service = |(kind, interface, region, path): &(&str, &str, &str, &str)| {
        let url = format!("http://{}{path}", request.header("host").unwrap());
        let endpoint = json!({"interface": interface, "region_id": region, "url": url});
        json!({"type": kind, "endpoints": [endpoint]})
    };
    let catalog: Vec<Value> = endpoints.iter().map(service).collect();
    let token = json!({"expires_at": Timestamp::now() + life, "catalog": catalog});
    Some(Reply::json(201, &json!({"token": token})).with("X-Subject-Token", "TOKEN"))
}
