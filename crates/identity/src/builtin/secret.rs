//! Tokens and passwords as random text.

use std::fmt;

use openssl::error::ErrorStack;
use openssl::{base64, rand};

/// Bytes of randomness in a token or a made password: 256 bits.
const BYTES: usize = 32;

/// Random text that opens something. Shown to whom it belongs, never to a log.
pub(crate) struct Secret(String);

impl Secret {
    /// 256 bits from OpenSSL's generator, as 44 characters of URL-safe base64. The first is always
    /// a letter: a command line takes a text that begins with a dash for an option.
    pub(crate) fn random() -> Result<Self, ErrorStack> {
        let mut bytes = [0; BYTES];
        rand::rand_bytes(&mut bytes)?;
        Ok(Self(format!("t{}", url_safe(&bytes))))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An identifier of a token for audits, which opens nothing: 22 characters, as Keystone's.
pub(crate) fn audit_id() -> String {
    url_safe(uuid::Uuid::new_v4().as_bytes())
}

fn url_safe(bytes: &[u8]) -> String {
    base64::encode_block(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_distinct_and_fit_a_url() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_eq!(one.reveal().len(), 44);
        assert!(one.reveal().starts_with('t'));
        assert_ne!(one.reveal(), other.reveal());
        assert!(
            one.reveal().chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
            "{}",
            one.reveal()
        );
    }

    #[test]
    fn debug_output_hides_them() {
        let secret = Secret::random().unwrap();
        assert!(!format!("{secret:?}").contains(secret.reveal()));
    }

    #[test]
    fn audit_ids_are_keystones_length() {
        assert_eq!(audit_id().len(), 22);
    }
}
