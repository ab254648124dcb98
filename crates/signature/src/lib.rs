//! Signed images, without I/O.
//!
//! An image is [`Signed`] when it has the four properties `img_signature…`. A [`Verifier`] checks
//! the digest of its bytes against the signature with the key of a certificate, which may have to
//! be [trusted](check_trust) first.
//!
//! Reference: "Image Signature Verification" in Glance's user guide, and the library cursive, whose
//! rules and messages these are.

mod certificate;
mod digest;
mod error;
mod key_type;
mod signed;
mod verifier;

pub use certificate::{Dates, check_trust, read_certificate};
pub use digest::digest_named;
pub use error::{Error, Result};
pub use key_type::{HashMethod, KeyType};
pub use openssl::x509::X509;
pub use signed::Signed;
pub use verifier::Verifier;
