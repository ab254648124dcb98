//! Checking a signature.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;
use openssl::x509::X509;

use crate::{Error, KeyType, Result, Signed};

/// Checks the digest of an image's bytes against its signature.
pub struct Verifier {
    signed: Signed,
    key: PKey<Public>,
}

impl Verifier {
    /// With the key of this certificate. Errors: `KeyMismatch`, `OpenSsl`.
    pub fn new(signed: Signed, certificate: &X509) -> Result<Self> {
        let key = certificate.public_key()?;
        match key.id() == signed.key_type.id() {
            true => Ok(Self { signed, key }),
            false => Err(Error::KeyMismatch(signed.key_type.name())),
        }
    }

    /// What the image's bytes have to be digested with.
    pub fn digest(&self) -> MessageDigest {
        self.signed.hash_method.digest()
    }

    /// Whether the bytes of this digest are those that were signed. Errors: `Mismatch`.
    pub fn check(&self, digest: &[u8]) -> Result<()> {
        // OpenSSL reports some signatures that can't be as errors of its own.
        match self.matches(digest) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::Mismatch),
        }
    }

    fn matches(&self, digest: &[u8]) -> Result<bool, ErrorStack> {
        let mut context = PkeyCtx::new(&self.key)?;
        context.verify_init()?;
        context.set_signature_md(self.signed.hash_method.of_signature())?;
        if self.signed.key_type == KeyType::RsaPss {
            context.set_rsa_padding(Padding::PKCS1_PSS)?;
            context.set_rsa_mgf1_md(self.signed.hash_method.of_signature())?;
            context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(self.longest_salt()))?;
        }
        context.verify(digest, &self.signed.signature)
    }

    /// The salt is as long as the key allows. RFC 8017, 9.1.1: emLen - hLen - 2, where emLen is that
    /// of a number with one bit less than the modulus.
    fn longest_salt(&self) -> i32 {
        let encoded = self.key.bits().saturating_sub(1).div_ceil(8);
        let hash = self.digest().size();
        let longest = encoded as usize;
        i32::try_from(longest.saturating_sub(hash + 2)).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests;
