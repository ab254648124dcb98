//! One page of images, with the way to the next.

use image::Image;
use serde_json::{Value, json};

use super::Parameters;
use crate::view;

/// The answer to a list. A full page names the next one; it may turn out to be empty.
pub(crate) fn page(images: &[Image], limit: u32, parameters: &Parameters) -> Value {
    let others = parameters.iter().filter(|(name, _)| name != "marker");
    let query = encode(others.clone());
    let mut page = json!({
        "images": images.iter().map(view::image).collect::<Vec<_>>(),
        "first": url(&query),
        "schema": "/v2/schemas/images",
    });
    let full = images.len() == limit as usize;
    if let Some(last) = images.last().filter(|_| full) {
        let marker = ("marker".to_owned(), last.id.to_string());
        page["next"] = url(&encode(others.chain([&marker]))).into();
    }
    page
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
        let page = page(&images, 1, &asked);
        assert_eq!(page["first"], "/v2/images?name=a+b&limit=1");
        assert_eq!(page["next"], format!("/v2/images?name=a+b&limit=1&marker={}", images[0].id));
        assert!(super::page(&images, 2, &asked).get("next").is_none());
        assert!(super::page(&[], 0, &asked).get("next").is_none());
    }
}
