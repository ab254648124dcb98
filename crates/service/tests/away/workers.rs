//! Imports whose store hangs, and those into other stores meanwhile. There are ten workers
//! (`max_workers` of `[taskflow_executor]`).

use std::sync::Arc;

use axum::body::Body;
use http::StatusCode;
use serde_json::{Value, json};

use super::store::{Away, State};
use super::{Service, service};

const WORKERS: usize = 10;

impl Service {
    async fn staged(&self) -> String {
        let fields = json!({ "disk_format": "raw", "container_format": "bare" });
        let body = Body::from(fields.to_string());
        let (_, created) = self.request("POST", "/v2/images", "application/json", body).await;
        let image = created["id"].as_str().unwrap().to_owned();
        let (path, kind) = (format!("/v2/images/{image}/stage"), "application/octet-stream");
        let answer = self.request("PUT", &path, kind, Body::from("bytes")).await;
        assert_eq!(answer.0, StatusCode::NO_CONTENT);
        image
    }

    async fn import(&self, image: &str, method: &str, store: &str) {
        let path = format!("/v2/images/{image}/import");
        let body = json!({ "method": { "name": method }, "stores": [store] });
        let body = Body::from(body.to_string());
        let answer = self.request("POST", &path, "application/json", body).await;
        assert_eq!(answer.0, StatusCode::ACCEPTED, "{}", answer.1);
    }

    /// So many imports into a store.
    async fn imported(&self, count: usize, store: &str) -> Vec<String> {
        let mut images = Vec::new();
        for _ in 0..count {
            let image = self.staged().await;
            self.import(&image, "glance-direct", store).await;
            images.push(image);
        }
        images
    }

    /// Waits until the images are in so many stores.
    async fn are_in(&self, images: &[String], stores: usize) {
        self.tended(async || {
            for image in images {
                let path = format!("/v2/images/{image}");
                let shown = self.request("GET", &path, "application/json", Body::empty()).await.1;
                let held = shown["stores"].as_str().unwrap_or_default().split(',');
                if held.filter(|name| !name.is_empty()).count() < stores {
                    return false;
                }
            }
            true
        })
        .await;
    }

    async fn tasks(&self, status: &str) -> Vec<Value> {
        let path = format!("/v2/tasks?status={status}&limit=100");
        let (_, list) = self.request("GET", &path, "application/json", Body::empty()).await;
        list["tasks"].as_array().unwrap().clone()
    }

    async fn have(&self, status: &str, count: usize) {
        self.tended(async || self.tasks(status).await.len() == count).await;
    }

    async fn cancel(&self, task: &Value) {
        let path = format!("/v2/tasks/{}", task["id"].as_str().unwrap());
        let answer = self.request("DELETE", &path, "application/json", Body::empty()).await;
        assert_eq!(answer.0, StatusCode::NO_CONTENT, "{}", answer.1);
    }
}

/// More imports than workers in the middle of a store that hangs.
async fn hanging() -> (Service, Arc<Away>, Vec<String>) {
    let (service, away) = service().await;
    away.is(State::Stalling);
    let mut images = service.imported(WORKERS, "away").await;
    away.has_halves(WORKERS).await;
    away.is(State::Hanging);
    images.extend(service.imported(WORKERS, "away").await);
    (service, away, images)
}

#[tokio::test]
async fn imports_that_hang_leave_the_workers_to_others() {
    let (service, away, hanging) = hanging().await;
    let others = service.imported(2 * WORKERS, "file").await;
    service.are_in(&others, 1).await;
    assert!(service.tasks("processing").await.len() >= WORKERS);
    away.is(State::Here);
    // Those that were there half are said to have failed.
    service.are_in(&hanging[WORKERS..], 1).await;
    service.have("failure", WORKERS).await;
}

#[tokio::test]
async fn imports_that_wait_for_a_store_that_hangs_are_pending() {
    let (service, away) = service().await;
    away.is(State::Hanging);
    let waiting = service.imported(2 * WORKERS + 1, "away").await;
    service.have("processing", WORKERS).await;
    let others = service.imported(1, "file").await;
    service.are_in(&others, 1).await;
    assert_eq!(service.tasks("processing").await.len(), WORKERS);
    assert_eq!(service.tasks("pending").await.len(), WORKERS + 1);
    away.is(State::Here);
    service.are_in(&waiting, 1).await;
}

#[tokio::test]
async fn copies_from_a_store_that_hangs_hold_up_no_imports_into_their_target() {
    let (service, away) = service().await;
    let copied = service.imported(2 * WORKERS, "away").await;
    service.are_in(&copied, 1).await;
    away.is(State::Hanging);
    for image in &copied {
        service.import(image, "copy-image", "file").await;
    }
    service.have("processing", WORKERS).await;
    let others = service.imported(1, "file").await;
    service.are_in(&others, 1).await;
    away.is(State::Here);
    service.are_in(&copied, 2).await;
}

#[tokio::test]
async fn imports_into_a_store_that_hangs_are_cancelled_before_and_after_they_begin() {
    let (service, away) = service().await;
    away.is(State::Hanging);
    service.imported(2 * WORKERS, "away").await;
    service.have("processing", WORKERS).await;
    for status in ["pending", "processing"] {
        for task in service.tasks(status).await {
            service.cancel(&task).await;
        }
    }
    away.is(State::Gone);
    service.have("failure", 2 * WORKERS).await;
    away.is(State::Here);
    let again = service.imported(1, "away").await;
    service.are_in(&again, 1).await;
}
