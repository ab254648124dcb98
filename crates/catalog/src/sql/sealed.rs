//! URLs of locations that are encrypted in their rows, as Glance does it with
//! `metadata_encryption_key` (`glance/common/crypt.py`): AES in CBC mode under a random vector,
//! URL-safe base64 of the vector and what follows it. The text ends at its last zero byte, behind
//! which random bytes fill the block.
//!
//! The same URL is another text each time, so URLs are compared once they are open, never in SQL.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use openssl::base64;
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::symm::{Cipher, Crypter, Mode};
use thiserror::Error;

/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// The key of `metadata_encryption_key`; never shown.
#[derive(Clone)]
pub struct LocationKey {
    key: Arc<[u8]>,
    cipher: Cipher,
}

/// A key that AES has no use for. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the key has {0} bytes; an AES key has 16, 24 or 32")]
pub struct BadKey(usize);

impl FromStr for LocationKey {
    type Err = BadKey;

    fn from_str(key: &str) -> Result<Self, BadKey> {
        let cipher = match key.len() {
            16 => Cipher::aes_128_cbc(),
            24 => Cipher::aes_192_cbc(),
            32 => Cipher::aes_256_cbc(),
            other => return Err(BadKey(other)),
        };
        Ok(Self { key: key.as_bytes().into(), cipher })
    }
}

impl fmt::Debug for LocationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocationKey(..)")
    }
}

/// How the URLs of a catalog's locations are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Urls(pub(super) Option<LocationKey>);

impl Urls {
    /// A URL as a row holds it. Errors: OpenSSL has no random bytes.
    pub(super) fn written(&self, url: &str) -> Result<String, ErrorStack> {
        match &self.0 {
            Some(key) if !is_sealed(url) => key.seal(url),
            _ => Ok(url.to_owned()),
        }
    }

    /// What a row holds as a URL. A row from before there was a key is in plain. What can't be
    /// opened stays as it is, and [`is_sealed`].
    pub(super) fn read(&self, value: String) -> String {
        if !is_sealed(&value) {
            return value;
        }
        let opened = self.0.as_ref().and_then(|key| key.open(&value));
        if opened.is_none() {
            tracing::error!(
                "the URL of a location is encrypted, and metadata_encryption_key is {}",
                if self.0.is_some() { "not the key that it was encrypted with" } else { "not set" }
            );
        }
        opened.unwrap_or(value)
    }
}

impl LocationKey {
    fn seal(&self, url: &str) -> Result<String, ErrorStack> {
        let mut vector = [0; BLOCK];
        rand_bytes(&mut vector)?;
        let mut text = url.as_bytes().to_vec();
        text.push(0);
        let fill = text.len().next_multiple_of(BLOCK) - text.len();
        text.extend(filler(fill)?);
        let sealed = self.run(Mode::Encrypt, &vector, &text)?;
        Ok(encoded(&[&vector[..], &sealed].concat()))
    }

    /// `None` where another key was used: then what comes out is no URL.
    fn open(&self, value: &str) -> Option<String> {
        let bytes = decoded(value)?;
        let (vector, sealed) = bytes.split_at_checked(BLOCK)?;
        let mut text = self.run(Mode::Decrypt, vector, sealed).ok()?;
        let end = text.iter().rposition(|byte| *byte == 0)?;
        text.truncate(end);
        String::from_utf8(text).ok().filter(|url| url.contains("://"))
    }

    fn run(&self, mode: Mode, vector: &[u8], input: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut crypter = Crypter::new(self.cipher, mode, &self.key, Some(vector))?;
        crypter.pad(false);
        let mut output = vec![0; input.len() + BLOCK];
        let mut length = crypter.update(input, &mut output)?;
        length += crypter.finalize(&mut output[length..])?;
        output.truncate(length);
        Ok(output)
    }
}

/// Random bytes, none of which is zero: that one ends the text.
fn filler(length: usize) -> Result<Vec<u8>, ErrorStack> {
    let mut bytes = vec![0; length];
    rand_bytes(&mut bytes)?;
    while let Some(zero) = bytes.iter_mut().find(|byte| **byte == 0) {
        rand_bytes(std::slice::from_mut(zero))?;
    }
    Ok(bytes)
}

/// Whether this is what encryption makes, and no URL: those have a colon.
pub(super) fn is_sealed(value: &str) -> bool {
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    value.bytes().all(in_alphabet)
        && decoded(value)
            .is_some_and(|bytes| bytes.len() >= 2 * BLOCK && bytes.len().is_multiple_of(BLOCK))
}

fn encoded(bytes: &[u8]) -> String {
    base64::encode_block(bytes).replace('+', "-").replace('/', "_")
}

fn decoded(value: &str) -> Option<Vec<u8>> {
    base64::decode_block(&value.replace('-', "+").replace('_', "/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "file:///var/lib/glance/images/ß";
    const KEYS: [&str; 3] =
        ["0123456789abcdef", "0123456789abcdef01234567", "0123456789abcdef0123456789abcdef"];

    /// Made with `urlsafe_encrypt(key, URL)` of Glance 33, one for each of the keys.
    const GLANCES: [&str; 3] = [
        "gNq3867zFT_5zZmLH3gtu9fi6mcLBR8YCAov-POduqDuTMooXQHfIo_xXiod9MAkUbbp4qKccWIbzT7IxEVWjg==",
        "xw8XtUBQmk6kmz0ao95HVqzGpSLYHluuri42HOQu7qJ9X4o-B75W63oOnPgwEUZTcid6ePxsGxtVGicfkO6QzQ==",
        "zPvrvToZZNRQh2hZP1E4Q4jaP6FqRy1tyQOJu5Fmh7d_kxVeTAlP3_vOOvmD3s5nR4idCSOd27QV8xbSzBiEfg==",
    ];

    fn urls(key: &str) -> Urls {
        Urls(Some(key.parse().unwrap()))
    }

    #[test]
    fn what_glance_has_encrypted_is_read() {
        for (key, value) in KEYS.into_iter().zip(GLANCES) {
            assert_eq!(urls(key).read(value.to_owned()), URL);
        }
    }

    #[test]
    fn texts_of_every_length_come_back_and_never_look_the_same() {
        for length in 0..40 {
            let url = format!("file://{}", "x".repeat(length));
            let urls = urls(KEYS[1]);
            let (one, other) = (urls.written(&url).unwrap(), urls.written(&url).unwrap());
            assert_ne!(one, other);
            assert!(is_sealed(&one) && !one.contains("file"));
            assert_eq!([urls.read(one), urls.read(other)], [url.clone(), url]);
        }
    }

    #[test]
    fn without_the_right_key_the_row_stays_as_it_is() {
        for value in GLANCES.map(str::to_owned) {
            assert_eq!(Urls::default().read(value.clone()), value);
            assert_eq!(urls("fedcba9876543210").read(value.clone()), value);
            assert_eq!(urls("fedcba9876543210").written(&value).unwrap(), value);
        }
    }

    #[test]
    fn rows_in_plain_are_read_beside_encrypted_ones() {
        for url in [URL, "http://a/b", "", "abcd", "not base64!", "QUJD===="] {
            assert_eq!(urls(KEYS[0]).read(url.to_owned()), url);
        }
    }

    #[test]
    fn keys_have_the_lengths_of_aes_and_are_never_shown() {
        let refused = "secret".parse::<LocationKey>().unwrap_err();
        assert_eq!(refused, BadKey(6));
        assert!(!format!("{refused}{:?}", urls(KEYS[0])).contains("0123"));
    }
}
