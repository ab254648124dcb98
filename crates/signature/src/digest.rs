//! Digests, by the names that Glance knows them by.

use openssl::hash::MessageDigest;

/// The digest of this name; `None` where OpenSSL has none. Python's hashlib, which names the
/// algorithms in Glance, writes those of SHA-3, of SHA-512 cut short and BLAKE2 with other words than
/// OpenSSL does.
pub fn digest_named(name: &str) -> Option<MessageDigest> {
    let name = match name {
        "blake2b" => "blake2b512",
        "blake2s" => "blake2s256",
        name => name,
    };
    MessageDigest::from_name(&name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `hashlib.new(name).digest_size` says.
    #[test]
    fn pythons_names_are_known() {
        for (name, size) in [
            ("md5", 16),
            ("sha1", 20),
            ("sha224", 28),
            ("sha256", 32),
            ("sha384", 48),
            ("sha512", 64),
            ("sha512_224", 28),
            ("sha512_256", 32),
            ("sha3_224", 28),
            ("sha3_512", 64),
            ("blake2b", 64),
            ("blake2s", 32),
        ] {
            assert_eq!(digest_named(name).map(|digest| digest.size()), Some(size), "{name}");
        }
        assert!(digest_named("rot13").is_none());
    }
}
