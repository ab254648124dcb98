//! Certificates, and whether they are trusted.

use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContext};

use crate::{Error, Result};

/// Whether certificates have to be valid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// Expired ones, and those that are not valid yet, are refused.
    Enforced,
    /// They are taken.
    Ignored,
}

/// Reads an X.509 certificate, PEM or DER. Errors: `Certificate`.
pub fn read_certificate(bytes: &[u8]) -> Result<X509> {
    X509::from_pem(bytes).or_else(|_| X509::from_der(bytes)).map_err(Error::Certificate)
}

/// Checks that a certificate leads, by the trusted ones alone, to a self-signed one among them;
/// that each of these may sign certificates, and so many of them. Errors: `Untrusted`.
pub fn check_trust(certificate: &X509, trusted: &[X509], dates: Dates) -> Result<()> {
    let mut store = X509StoreBuilder::new()?;
    for anchor in trusted {
        store.add_cert(anchor.clone())?;
    }
    if dates == Dates::Ignored {
        store.set_flags(X509VerifyFlags::NO_CHECK_TIME)?;
    }
    let mut context = X509StoreContext::new()?;
    let intermediates = Stack::new()?;
    context.init(&store.build(), certificate, &intermediates, |context| {
        match context.verify_cert()? {
            true => Ok(Ok(())),
            false => Ok(Err(Error::Untrusted(context.error().error_string().to_owned()))),
        }
    })?
}
