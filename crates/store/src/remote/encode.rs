//! Percent-encoding (RFC 3986, 2.1).

use std::fmt::Write;

/// Everything but unreserved characters is encoded, and those of `kept`.
pub(crate) fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            byte if kept.contains(&byte) => encoded.push(byte.into()),
            // Writing to a string does not fail.
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// The text that was encoded; `None` where it is no UTF-8. What is no encoding stays.
pub(crate) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let byte = pair.filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("plain-1.2_3~", b""), "plain-1.2_3~");
        assert_eq!(encode("a b/c:d%e", b""), "a%20b%2Fc%3Ad%25e");
        assert_eq!(encode("a/b \u{e4}", b"/"), "a/b%20%C3%A4");
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for text in ["", "plain-1.2_3~", "a b/c:d@e%f", "\u{e4}\u{1f980}?#&=+"] {
            assert_eq!(decode(&encode(text, b"")).as_deref(), Some(text));
        }
        assert_eq!(decode("100%").as_deref(), Some("100%"));
        assert_eq!(decode("%+1%zz").as_deref(), Some("%+1%zz"));
        assert_eq!(decode("%ff"), None);
    }
}
