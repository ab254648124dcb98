//! Lists of images, page by page.

use std::collections::VecDeque;

use reqwest::{Client, Url};
use serde::Deserialize;

use super::{Image, images_url, read};
use crate::session::Repeat;
use crate::{Result, Session};

/// Filters and order of a list, in the words of the Image API.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    parameters: Vec<(String, String)>,
}

impl ListQuery {
    /// Only images whose field or property `name` is `value`; of a `tag` there may be several.
    #[must_use]
    pub fn filter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Order: `name:asc,created_at:desc`.
    #[must_use]
    pub fn sort(self, order: &str) -> Self {
        self.filter("sort", order)
    }

    /// Images in one answer; the service's default when not set. How many there are in all is not
    /// limited by this.
    #[must_use]
    pub fn page_size(self, images: u32) -> Self {
        self.filter("limit", &images.to_string())
    }
}

/// A list that is fetched as it is read.
pub struct Listing {
    session: Session,
    page: VecDeque<Image>,
    /// The query of the next page; none after the last.
    next: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    images: VecDeque<Image>,
    next: Option<String>,
}

impl Listing {
    pub(super) fn new(session: Session, query: &ListQuery) -> Self {
        let mut url = Url::parse("http://list").expect("a constant address");
        url.query_pairs_mut().extend_pairs(&query.parameters);
        let next = Some(url.query().unwrap_or_default().to_owned());
        Self { session, page: VecDeque::new(), next }
    }

    /// The next image, or none after the last. A page without images ends the list too, whatever
    /// the service says comes next.
    pub async fn next(&mut self) -> Result<Option<Image>> {
        if self.page.is_empty()
            && let Some(query) = self.next.take()
        {
            self.fetch(&query).await?;
        }
        Ok(self.page.pop_front())
    }

    async fn fetch(&mut self, query: &str) -> Result<()> {
        let get = |client: &Client, root: &Url| {
            let mut url = images_url(root);
            url.set_query(Some(query).filter(|query| !query.is_empty()));
            client.get(url)
        };
        let page: Page = read(self.session.ask(Repeat::Freely, get).await?).await?;
        // `next` is a path of the service itself, which may be published below another one: its
        // query is what counts.
        self.next = page.next.and_then(|next| Some(next.split_once('?')?.1.to_owned()));
        self.page = page.images;
        Ok(())
    }
}
