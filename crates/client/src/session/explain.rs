//! What a service says of its own refusal.

use reqwest::Response;
use serde_json::Value;

/// More of an explanation is not read.
const MOST: usize = 64 << 10;

/// The service's own words, else the name of the status.
pub(crate) async fn explain(mut response: Response) -> String {
    let status = response.status();
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            break;
        }
    }
    let words = plain(&message_of(&String::from_utf8_lossy(&body)));
    if words.is_empty() { status.canonical_reason().unwrap_or("refused").to_owned() } else { words }
}

/// The message within Keystone's JSON, Glance's JSON, or Glance's HTML.
fn message_of(body: &str) -> String {
    let json = serde_json::from_str::<Value>(body).ok();
    let message = json.as_ref().and_then(|json| {
        json["error"]["message"].as_str().or(json["message"].as_str()).map(str::to_owned)
    });
    // In HTML the heading repeats the status.
    let below_heading = body.split_once("</h1>").map_or(body, |(_, below)| below);
    message.unwrap_or_else(|| below_heading.to_owned())
}

/// Text without tags, with single spaces.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let text = text.replace("&quot;", "\"").replace("&#x27;", "'").replace("&lt;", "<");
    let text = text.replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_in_every_dress() {
        for body in [
            r#"{"error": {"code": 404, "message": "No image 'x' & no y", "title": "Not Found"}}"#,
            r#"{"message": "No image &#x27;x&#x27; &amp; no y<br /><br />\n\n", "code": "404"}"#,
            "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1>\n \
             No image 'x' &amp; no y<br /><br /></body></html>",
            "No image 'x'\n& no y",
        ] {
            assert_eq!(plain(&message_of(body)), "No image 'x' & no y", "{body}");
        }
    }
}
