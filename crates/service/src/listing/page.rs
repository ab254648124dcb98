//! One page of images, with the way to the next.

use image::{Image, ImageId};
use serde::Serialize;

use super::Parameters;
use crate::view::{self, Showing};

/// The answer to a list. `last` is the last image of a page that was full before the policy took away
/// what the caller may not see: be it all of the page, there may be more behind it.
pub(crate) fn page(
    images: &[Image],
    showing: Showing,
    last: Option<ImageId>,
    parameters: &Parameters,
) -> Page<impl Serialize> {
    let marker = last.map(|last| ("marker".to_owned(), last.to_string()));
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
    use image::Timestamp;

    use super::*;
    use crate::listing::parameters;

    #[test]
    fn a_full_page_names_the_next() {
        let images = [Image::new(ImageId::random(), None, Timestamp::now())];
        let asked = parameters(Some("name=a%20b&marker=x&limit=1"));
        let last = ImageId::random();
        let page = page(&images, Showing::default(), Some(last), &asked);
        let next = format!("/v2/images?name=a+b&limit=1&marker={last}");
        assert_eq!(page.first, "/v2/images?name=a+b&limit=1");
        assert_eq!(page.next, Some(next));
        assert!(super::page(&images, Showing::default(), None, &asked).next.is_none());
    }
}
