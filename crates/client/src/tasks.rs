//! The tasks of the Image API v2: work that goes on after the request that asked for it.

use std::collections::BTreeMap;

use reqwest::{Client, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::session::Repeat;
use crate::{Error, Result, Session};

/// A task. Lists leave out what it was asked and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identifier.
    pub id: String,
    /// `import`, `api_image_import`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `pending`, `processing`, `success` or `failure`.
    pub status: String,
    /// The project that asked for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// How it is going, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The image that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// When it was asked for, in ISO 8601.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it last gave a sign of life.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// When it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whatever else the service says.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Page {
    tasks: Vec<Task>,
    next: Option<String>,
}

/// The tasks of a cloud. Most clouds let only administrators see them.
#[derive(Clone)]
pub struct Tasks {
    session: Session,
}

impl Tasks {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// The newest tasks that fit, at most `limit`. Filters are those of the Image API, such as
    /// `status` and `image_id`.
    pub async fn list(&self, filters: &[(&str, &str)], limit: usize) -> Result<Vec<Task>> {
        let mut query = encoded(filters);
        let mut found = Vec::new();
        loop {
            let get = |client: &Client, root: &Url| {
                let mut url = tasks_url(root);
                url.set_query(Some(&query).filter(|query| !query.is_empty()).map(String::as_str));
                client.get(url)
            };
            let page: Page = read(self.session.ask(Repeat::Freely, get).await?).await?;
            let was_empty = page.tasks.is_empty();
            found.extend(page.tasks);
            // `next` is a path of the service itself: its query is what counts.
            let next = page.next.and_then(|next| Some(next.split_once('?')?.1.to_owned()));
            match next {
                Some(next) if !was_empty && found.len() < limit => query = next,
                _ => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The task with this id.
    pub async fn show(&self, id: &str) -> Result<Task> {
        let get = |client: &Client, root: &Url| client.get(task_url(root, id));
        let found = self.session.ask(Repeat::Freely, get).await;
        read(found.map_err(|error| no_task(error, id))?).await
    }

    /// Ends a task that has not ended. Only tintype has this; Glance refuses it.
    ///
    /// # Errors
    /// [`Error::TaskStays`] when the task has ended, or the service can't end tasks.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let delete = |client: &Client, root: &Url| client.delete(task_url(root, id));
        let done = self.session.ask(Repeat::Freely, delete).await;
        done.map(drop).map_err(|error| match error.status() {
            Some(StatusCode::METHOD_NOT_ALLOWED) => Error::TaskStays(id.to_owned()),
            _ => no_task(error, id),
        })
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://list").expect("a constant address");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

fn tasks_url(root: &Url) -> Url {
    crate::keystone::below(root, "v2/tasks")
}

fn task_url(root: &Url, id: &str) -> Url {
    let mut url = tasks_url(root);
    // What can't be an id is asked for as one that no task has.
    let inert = |id: &str| match id {
        "" | "." | ".." => "-".to_owned(),
        id => id.to_owned(),
    };
    // An http address always has segments.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.push(&inert(id));
    }
    url
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let url = response.url().to_string();
    response.json().await.map_err(|error| Error::Answer { url, reason: error.to_string() })
}

fn no_task(error: Error, id: &str) -> Error {
    match error.status() {
        Some(StatusCode::NOT_FOUND) => Error::NoTask(id.to_owned()),
        _ => error,
    }
}
