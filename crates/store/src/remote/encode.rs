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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("plain-1.2_3~", b""), "plain-1.2_3~");
        assert_eq!(encode("a b/c:d%e", b""), "a%20b%2Fc%3Ad%25e");
        assert_eq!(encode("a/b \u{e4}", b"/"), "a/b%20%C3%A4");
    }
}
