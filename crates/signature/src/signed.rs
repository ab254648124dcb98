//! The properties that make an image a signed one.

use openssl::base64;

use crate::{Error, HashMethod, KeyType, Result};

const SIGNATURE: &str = "img_signature";
const HASH_METHOD: &str = "img_signature_hash_method";
const KEY_TYPE: &str = "img_signature_key_type";
const CERTIFICATE: &str = "img_signature_certificate_uuid";

/// What the properties of a signed image say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub(crate) signature: Vec<u8>,
    pub(crate) hash_method: HashMethod,
    pub(crate) key_type: KeyType,
    /// `img_signature_certificate_uuid`: under which name the certificate is kept.
    pub certificate: String,
}

impl Signed {
    /// Reads the properties through `property`; `None` when one of the four is not there: such an
    /// image is not signed, as in cursive. Errors: `NotBase64`, `HashMethod`, `KeyType`.
    pub fn read<'a>(property: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Self>> {
        let all = [SIGNATURE, HASH_METHOD, KEY_TYPE, CERTIFICATE].map(property);
        let [Some(signature), Some(hash_method), Some(key_type), Some(certificate)] = all else {
            return Ok(None);
        };
        Ok(Some(Self {
            signature: decode(signature)?,
            hash_method: HashMethod::named(hash_method)?,
            key_type: KeyType::named(key_type)?,
            certificate: certificate.to_owned(),
        }))
    }
}

/// Base64 as Python reads it: characters outside of its alphabet, such as line ends, don't count.
fn decode(text: &str) -> Result<Vec<u8>> {
    let counts = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let text: String = text.chars().filter(counts).collect();
    match base64::decode_block(&text) {
        Ok(bytes) if !bytes.is_empty() && text.len().is_multiple_of(4) => Ok(bytes),
        _ => Err(Error::NotBase64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(changed: &str, value: Option<&'static str>) -> Result<Option<Signed>> {
        Signed::read(|name| match name {
            name if name == changed => value,
            SIGNATURE => Some("c2lnbmF0dXJl"),
            HASH_METHOD => Some("SHA-256"),
            KEY_TYPE => Some("RSA-PSS"),
            _ => Some("5c1d3bd0"),
        })
    }

    #[test]
    fn all_four_properties_make_an_image_signed() {
        let signed = properties("", None).unwrap().unwrap();
        assert_eq!(signed.signature, b"signature");
        for name in [SIGNATURE, HASH_METHOD, KEY_TYPE, CERTIFICATE] {
            assert_eq!(properties(name, None).unwrap(), None, "{name}");
        }
    }

    #[test]
    fn line_ends_in_a_signature_do_not_count() {
        let wrapped = properties(SIGNATURE, Some("c2ln\nbmF0\r\ndXJl\n")).unwrap().unwrap();
        assert_eq!(wrapped.signature, b"signature");
    }

    #[test]
    fn what_is_wrong_is_told_as_cursive_tells_it() {
        let cases = [
            (SIGNATURE, "c2lnb", "not properly encoded using base64"),
            (SIGNATURE, "", "not properly encoded using base64"),
            (HASH_METHOD, "MD5", "Invalid signature hash method: MD5"),
            (KEY_TYPE, "RSA", "Invalid signature key type: RSA"),
        ];
        for (name, value, expected) in cases {
            let error = properties(name, Some(value)).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}={value}: {error}");
        }
    }
}
