//! One page of images, with the way to the next.

use image::Image;
use serde::Serialize;

use super::Parameters;
use crate::view::{self, Showing};

/// The answer to a list. A page names the next one when it was `full` before the policy took away
/// what the caller may not see; the next one may turn out to be empty.
pub(crate) fn page(
    images: &[Image],
    showing: Showing,
    full: bool,
    parameters: &Parameters,
) -> Page<impl Serialize> {
    let last = images.last().filter(|_| full);
    let marker = last.map(|last| ("marker".to_owned(), last.id.to_string()));
    let others = parameters.iter().filter(|(name, _)| name != "marker");
    Page {
        first: url(&encode(others.clone())),
        next: marker.as_ref().map(|marker| url(&encode(others.chain([marker])))),
        images: images.iter().map(|image| view::image(image, showing)).collect(),
        schema: "/v2/schemas/images",
    }
}

/// The body of the answer.
#[derive(Serialize)]
pub(crate) struct Page<Shown> {
    images: Vec<Shown>,
    first: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    schema: &'static str,
}

fn encode<'a>(parameters: impl Iterator<Item = &'a (String, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn url(query: &str) -> String {
    if query.is_empty() { "/v2/images".to_owned() } else { format!("/v2/images?{query}") }
}

#[cfg(test)]
mod tests {
    use image::{ImageId, Timestamp};

    use super::*;
    use crate::listing::parameters;

    #[test]
    fn a_full_page_names_the_next() {
        let images = [Image::new(ImageId::random(), None, Timestamp::now())];
        let asked = parameters(Some("name=a%20b&marker=x&limit=1"));
        let page = page(&images, Showing::default(), true, &asked);
        let next = format!("/v2/images?name=a+b&limit=1&marker={}", images[0].id);
        assert_eq!(page.first, "/v2/images?name=a+b&limit=1");
        assert_eq!(page.next, Some(next));
        assert!(super::page(&images, Showing::default(), false, &asked).next.is_none());
        assert!(super::page(&[], Showing::default(), true, &asked).next.is_none());
    }
}
