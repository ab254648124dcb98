//! `/healthcheck`: for load balancers, as oslo.middleware answers it. Beside what an operator has
//! set up, the catalog has to answer.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::json;

use crate::app::App;
use crate::openapi::{Content, Operation};
use crate::rules::Health;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::get("/healthcheck", "Tell whether the service works")
        .answers(200, Content::Json("any"))
        .open()];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/healthcheck", get(check))
}

/// What one check found.
struct Finding {
    kind: &'static str,
    well: bool,
    reason: &'static str,
}

async fn check(State(app): State<Arc<App>>, method: Method, headers: HeaderMap) -> Response {
    let findings = findings(&app).await;
    let well = findings.iter().all(|finding| finding.well);
    let status = match (well, method == Method::HEAD) {
        (true, true) => StatusCode::NO_CONTENT,
        (true, false) => StatusCode::OK,
        (false, _) => StatusCode::SERVICE_UNAVAILABLE,
    };
    if method == Method::HEAD {
        return status.into_response();
    }
    let (kind, body) = body(&findings, app.rules.health.detailed, &headers);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

async fn findings(app: &App) -> Vec<Finding> {
    let mut findings = by_files(app.rules.health.clone()).await;
    if let Err(error) = app.catalog.ping().await {
        tracing::warn!(%error, "the catalog does not answer");
        let reason = "the catalog does not answer";
        findings.push(Finding { kind: "Catalog", well: false, reason });
    }
    findings
}

/// One finding for each kind of check; all well where there is none.
async fn by_files(health: Health) -> Vec<Finding> {
    let disabled = there(&health.disabled_by).await.contains(&true);
    let reason = if disabled { "DISABLED BY FILE" } else { "OK" };
    let mut findings = vec![Finding { kind: "DisableByFile", well: !disabled, reason }];
    if !health.enabled_by.is_empty() {
        let enabled = !there(&health.enabled_by).await.contains(&false);
        let reason = if enabled { "OK" } else { "FILE PATH MISSING" };
        findings.push(Finding { kind: "EnableByFiles", well: enabled, reason });
    }
    findings
}

/// Which of the files are there.
async fn there(files: &[PathBuf]) -> Vec<bool> {
    let looks =
        files.iter().map(|file| async move { tokio::fs::try_exists(file).await.unwrap_or(false) });
    futures::future::join_all(looks).await
}

/// Text, unless HTML or JSON is asked for.
fn body(findings: &[Finding], detailed: bool, headers: &HeaderMap) -> (&'static str, String) {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let asks = |kind: &str| accept.contains(kind);
    if asks("text/plain") || asks("*/*") || asks("text/*") {
        ("text/plain; charset=UTF-8", text(findings))
    } else if asks("text/html") {
        ("text/html; charset=UTF-8", html(findings, detailed))
    } else if asks("application/json") || asks("application/*") {
        ("application/json", as_json(findings, detailed))
    } else {
        ("text/plain; charset=UTF-8", text(findings))
    }
}

fn text(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.reason).collect::<Vec<_>>().join("\n")
}

fn as_json(findings: &[Finding], detailed: bool) -> String {
    let reason = |finding: &Finding| match detailed {
        false => json!(finding.reason),
        true => json!({ "reason": finding.reason, "details": "", "class": finding.kind }),
    };
    let reasons: Vec<_> = findings.iter().map(reason).collect();
    format!("{:#}", json!({ "detailed": detailed, "reasons": reasons }))
}

fn html(findings: &[Finding], detailed: bool) -> String {
    let row = |finding: &Finding| match detailed {
        false => format!("<TR><TD>{}</TD></TR>", finding.reason),
        true => format!("<TR><TD>{}</TD><TD>{}</TD></TR>", finding.kind, finding.reason),
    };
    let head = if detailed { "<TH>Kind</TH><TH>Reason</TH>" } else { "<TH>Reason</TH>" };
    let rows: String = findings.iter().map(row).collect();
    format!(
        "<HTML>\n<HEAD><TITLE>Healthcheck Status</TITLE></HEAD>\n<BODY>\n<H2>Result of {} \
         checks:</H2>\n<TABLE border=\"1\">\n<TR>{head}</TR>\n{rows}\n</TABLE>\n</BODY>\n</HTML>",
        findings.len()
    )
}
