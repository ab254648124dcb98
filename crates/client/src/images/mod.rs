//! The Image API v2.

mod cache;
mod changes;
mod digest;
mod download;
mod listing;
mod members;
mod part_file;
mod record;
mod sparse_file;
mod upload;

use reqwest::{Client, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use cache::{CacheState, CacheTarget, CachedImage, Pruned};
pub use changes::Change;
pub use digest::Digest;
pub use download::{Downloaded, Verified};
pub use listing::{ListQuery, Listing};
pub use members::{Member, MemberStatus};
pub use record::{Image, NewImage};
pub use upload::Source;

use crate::session::Repeat;
use crate::{Error, Result, Session};

/// The images of a cloud.
#[derive(Clone)]
pub struct Images {
    session: Session,
}

impl Images {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Images that fit `query`, page by page as they are asked for.
    pub fn list(&self, query: &ListQuery) -> Listing {
        Listing::new(self.session.clone(), query)
    }

    /// The image with this id.
    pub async fn show(&self, id: &str) -> Result<Image> {
        let response = self
            .session
            .ask(Repeat::Freely, |client, root| client.get(image_url(root, id, &[])))
            .await
            .map_err(|error| no_image(error, id))?;
        read(response).await
    }

    /// The image with this id, else the one with this name, as openstackclient looks it up.
    ///
    /// # Errors
    /// [`Error::NoImage`], and [`Error::Ambiguous`] when several have the name.
    pub async fn find(&self, name_or_id: &str) -> Result<Image> {
        match self.show(name_or_id).await {
            Err(Error::NoImage(_)) => self.find_named(name_or_id).await,
            found => found,
        }
    }

    async fn find_named(&self, name: &str) -> Result<Image> {
        if name.is_empty() {
            return Err(Error::NoImage(String::new()));
        }
        let mut listing = self.list(&ListQuery::default().filter("name", name));
        let mut found = Vec::new();
        while let Some(image) = listing.next().await? {
            found.push(image);
        }
        match found.len() {
            0 => Err(Error::NoImage(name.to_owned())),
            1 => Ok(found.remove(0)),
            _ => {
                let ids = found.into_iter().map(|image| image.id).collect();
                Err(Error::Ambiguous { name: name.to_owned(), ids })
            }
        }
    }

    /// Registers an image. It is `queued` until bytes are uploaded.
    pub async fn create(&self, image: &NewImage) -> Result<Image> {
        let body = image.body();
        let post = |client: &Client, root: &Url| client.post(images_url(root)).json(&body);
        // A second POST would make a second image.
        read(self.session.ask(Repeat::Unsent, post).await?).await
    }

    /// Changes an image's record; the changes apply all or not at all.
    pub async fn update(&self, id: &str, changes: &[Change]) -> Result<Image> {
        let patch = Value::Array(changes.iter().map(Change::operation).collect()).to_string();
        let response = self.session.ask(Repeat::Unsent, |client, root| {
            client
                .patch(image_url(root, id, &[]))
                .header("Content-Type", changes::MEDIA_TYPE)
                .body(patch.clone())
        });
        read(response.await.map_err(|error| no_image(error, id))?).await
    }

    /// Deletes an image and its bytes.
    pub async fn delete(&self, id: &str) -> Result<()> {
        self.delete_at(id, &[]).await
    }

    /// Puts a tag on an image.
    pub async fn add_tag(&self, id: &str, tag: &str) -> Result<()> {
        let put = |client: &Client, root: &Url| client.put(image_url(root, id, &["tags", tag]));
        let done = self.session.ask(Repeat::Freely, put).await;
        done.map(drop).map_err(|error| no_image(error, id))
    }

    /// Takes a tag off an image.
    pub async fn remove_tag(&self, id: &str, tag: &str) -> Result<()> {
        self.delete_at(id, &["tags", tag]).await
    }

    /// Refuses downloads of an image from now on.
    pub async fn deactivate(&self, id: &str) -> Result<()> {
        self.act(id, "deactivate").await
    }

    /// Allows downloads again.
    pub async fn reactivate(&self, id: &str) -> Result<()> {
        self.act(id, "reactivate").await
    }

    async fn act(&self, id: &str, action: &str) -> Result<()> {
        let path = ["actions", action];
        let post = |client: &Client, root: &Url| client.post(image_url(root, id, &path));
        // Both actions are the same when repeated.
        let done = self.session.ask(Repeat::Freely, post).await;
        done.map(drop).map_err(|error| no_image(error, id))
    }

    async fn delete_at(&self, id: &str, path: &[&str]) -> Result<()> {
        let delete = |client: &Client, root: &Url| client.delete(image_url(root, id, path));
        let done = self.session.ask(Repeat::Freely, delete).await;
        done.map(drop).map_err(|error| no_image(error, id))
    }
}

/// `…/v2/images`.
fn images_url(root: &Url) -> Url {
    crate::keystone::below(root, "v2/images")
}

/// `…/v2/images/{id}/{path}`, each part encoded as one segment.
fn image_url(root: &Url, id: &str, path: &[&str]) -> Url {
    let mut url = images_url(root);
    // An http address always has segments.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.push(&inert(id)).extend(path.iter().map(|part| inert(part)));
    }
    url
}

/// Names that mean another place are replaced by such that mean none: the service then says that
/// there is no such image.
fn inert(part: &str) -> String {
    match part {
        "" => "-".to_owned(),
        "." | ".." => part.replace('.', "%2E"),
        part => part.to_owned(),
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let url = response.url().to_string();
    response.json().await.map_err(|error| {
        let reason = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        Error::Answer { url, reason }
    })
}

fn no_image(error: Error, id: &str) -> Error {
    match error.status() {
        Some(StatusCode::NOT_FOUND) => Error::NoImage(id.to_owned()),
        _ => error,
    }
}
