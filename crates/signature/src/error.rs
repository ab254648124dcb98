//! What can be wrong with a signature, in cursive's words.

use openssl::error::ErrorStack;
use thiserror::Error;

/// What can be wrong with a signature.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not those that were signed, or not with this key.
    #[error("Signature verification failed")]
    Mismatch,
    /// `img_signature` is no base64.
    #[error(
        "Signature verification for the image failed: The signature data was not properly encoded \
         using base64."
    )]
    NotBase64,
    /// `img_signature_hash_method` is none of the known ones.
    #[error("Signature verification for the image failed: Invalid signature hash method: {0}.")]
    HashMethod(String),
    /// `img_signature_key_type` is none of the known ones.
    #[error("Signature verification for the image failed: Invalid signature key type: {0}.")]
    KeyType(String),
    /// The certificate's key is of another type than the image says.
    #[error(
        "Signature verification for the image failed: Invalid public key type for signature key \
         type: {0}."
    )]
    KeyMismatch(&'static str),
    /// What should be a certificate is none.
    #[error("Signature verification for the image failed: Invalid certificate format: {0}.")]
    Certificate(#[source] ErrorStack),
    /// The certificate does not lead to one that is trusted, or not now.
    #[error("Certificate validation failed: {0}.")]
    Untrusted(String),
    /// OpenSSL failed, or refuses the algorithm.
    #[error("Signature verification for the image failed: {0}.")]
    OpenSsl(#[from] ErrorStack),
}

/// The result of looking at a signature.
pub type Result<T, E = Error> = std::result::Result<T, E>;
