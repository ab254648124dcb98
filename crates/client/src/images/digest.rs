//! What an image's bytes must hash to.

use openssl::hash::{Hasher, MessageDigest};

use super::Image;

/// A digest that a record promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The algorithm: `sha512`, `md5`, …
    pub algorithm: String,
    /// The digest, in lower-case hexadecimal.
    pub value: String,
}

impl Digest {
    /// The strongest digest of the record that can be computed here: `os_hash_value`, else the MD5
    /// in `checksum`.
    pub fn promised(image: &Image) -> Option<Self> {
        let strong = image.os_hash_algo.as_deref().zip(image.os_hash_value.as_deref());
        let weak = image.checksum.as_deref().map(|value| ("md5", value));
        [strong, weak]
            .into_iter()
            .flatten()
            .map(|(algorithm, value)| Self {
                algorithm: algorithm.to_ascii_lowercase(),
                value: value.to_ascii_lowercase(),
            })
            .find(|digest| digest.kind().is_some())
    }

    /// A computation of this algorithm; none where OpenSSL refuses it, as it does MD5 under FIPS.
    pub(super) fn hasher(&self) -> Option<Hasher> {
        Hasher::new(self.kind()?).ok()
    }

    fn kind(&self) -> Option<MessageDigest> {
        signature::digest_named(&self.algorithm)
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn image(algorithm: Option<&str>, value: Option<&str>, checksum: Option<&str>) -> Image {
        serde_json::from_value(json!({"id": "x", "status": "active", "os_hash_algo": algorithm,
            "os_hash_value": value, "checksum": checksum}))
        .unwrap()
    }

    #[test]
    fn the_strong_digest_is_preferred_and_the_checksum_stands_in() {
        for (image, expected) in [
            (image(Some("sha512"), Some("AB"), Some("cd")), Some(("sha512", "ab"))),
            (image(Some("sha3_256"), Some("ab"), None), Some(("sha3_256", "ab"))),
            (image(Some("rot13"), Some("ab"), Some("cd")), Some(("md5", "cd"))),
            (image(None, None, Some("cd")), Some(("md5", "cd"))),
            (image(None, None, None), None),
        ] {
            let promised = Digest::promised(&image);
            let found = promised.as_ref().map(|d| (d.algorithm.as_str(), d.value.as_str()));
            assert_eq!(found, expected);
        }
    }
}
