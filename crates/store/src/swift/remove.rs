//! Removing objects and what they are made of.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, header::HeaderMap};

use super::account::{Ask, Target};
use crate::remote::{Failed, decode, retried};
use crate::{Error, Result};

/// Segments that are removed at once.
const AT_ONCE: usize = 8;

impl Target {
    /// Removes the object, after its segments. Errors: `NotFound`, as of requests.
    pub(super) async fn remove(&self) -> Result<()> {
        let head = self.ask_again(&Ask::new(Method::HEAD)).await?;
        if is_static(head.headers()) {
            return self.remove_static().await;
        }
        if let Some(manifest) = text(head.headers(), "x-object-manifest") {
            self.remove_of_manifest(&manifest).await?;
        }
        self.remove_only().await
    }

    /// Removes whatever an interrupted upload left; says whether there was anything.
    pub(super) async fn discard(&self) -> Result<bool> {
        let segments = match self.remove_segments(0).await {
            // Without a container there is nothing in it.
            Err(Error::NotFound(_)) => return Ok(false),
            segments => segments?,
        };
        match self.remove_only().await {
            Ok(()) => Ok(true),
            Err(Error::NotFound(_)) => Ok(segments),
            Err(error) => Err(error),
        }
    }

    /// Removes the container, which was this object's alone. It stays, and that is logged, where it
    /// is not empty, or where only its owner may remove it; without the object it holds nothing.
    pub(super) async fn remove_container(&self) {
        let container = self.container_itself();
        let removed = retried(|| async {
            match container.ask(&Ask::new(Method::DELETE), None).await {
                // A listing may lag behind what it lists.
                Err(Failed::Lasting(error @ Error::Exists(_))) => Err(Failed::Passing(error)),
                removed => removed,
            }
        });
        match removed.await {
            Ok(_) | Err(Error::NotFound(_)) => {}
            Err(error) => tracing::warn!(%error, "a container stays"),
        }
    }

    /// The manifest names its segments itself, and Swift removes them with it. The answer is a
    /// success in any case, and tells in its text.
    async fn remove_static(&self) -> Result<()> {
        let query = [("multipart-manifest", "delete")];
        let ask = Ask {
            query: &query,
            headers: &[("accept", "application/json")],
            ..Ask::new(Method::DELETE)
        };
        let answer = self.ask_again(&ask).await?;
        let told: serde_json::Value =
            answer.json().await.map_err(|error| self.account.away(error))?;
        let status = told["Response Status"].as_str().unwrap_or_default();
        match status.starts_with("2") {
            true => Ok(()),
            false => Err(self
                .account
                .failing(format!("the segments of {} can't be removed: {status}", self.shown()))),
        }
    }

    /// Segments that a manifest `CONTAINER/PREFIX` means. One that means others than its own, by
    /// their names, is believed to be read but not to be removed.
    async fn remove_of_manifest(&self, manifest: &str) -> Result<()> {
        match of_manifest(manifest) {
            Some((container, prefix)) if prefix.starts_with(&self.object) => {
                let container = Self { container, ..self.clone() };
                container.remove_beginning(&prefix, BTreeSet::new()).await.map(drop)
            }
            _ => {
                tracing::warn!(object = %self.shown(), "segments with other names stay");
                Ok(())
            }
        }
    }

    /// Removes the segments of this object whatever its manifest says, also those that a listing
    /// does not have yet; says whether there were any.
    pub(super) async fn remove_segments(&self, begun: u64) -> Result<bool> {
        let known = (1..=begun).map(|number| self.segment(number).object).collect();
        self.remove_beginning(&format!("{}-", self.object), known).await
    }

    async fn remove_beginning(&self, prefix: &str, mut names: BTreeSet<String>) -> Result<bool> {
        names.extend(self.beginning(prefix).await?);
        let removed = stream::iter(names).map(|name| async {
            match self.beside(name).remove_only().await {
                Ok(()) => Ok(true),
                Err(Error::NotFound(_)) => Ok(false),
                Err(error) => Err(error),
            }
        });
        let removed = removed.buffer_unordered(AT_ONCE);
        removed.try_fold(false, |any, one| async move { Ok(any || one) }).await
    }

    /// A segment, as Glance names it.
    pub(super) fn segment(&self, number: u64) -> Self {
        self.beside(format!("{}-{number:05}", self.object))
    }
}

/// The container of a manifest's segments, and how their names begin.
pub(super) fn of_manifest(manifest: &str) -> Option<(String, String)> {
    let manifest = decode(manifest)?;
    let (container, prefix) = manifest.split_once('/')?;
    Some((container.to_owned(), prefix.to_owned()))
}

pub(super) fn is_static(headers: &HeaderMap) -> bool {
    text(headers, "x-static-large-object").is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
