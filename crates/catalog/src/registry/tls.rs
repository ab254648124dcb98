//! How both sides prove who they are: TLS 1.3 and nothing older.

use std::fmt;
use std::path::PathBuf;

use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::ssl::{
    SslAcceptor, SslConnector, SslContextBuilder, SslFiletype, SslMethod, SslOptions,
    SslVerifyMode, SslVersion,
};
use thiserror::Error;

use super::certificate::Allowed;

/// What a side has to prove who it is, and to know who the other one is.
#[derive(Clone)]
pub enum Keys {
    /// A secret that both know. It never travels.
    Secret([u8; 32]),
    /// Certificates of one authority.
    Certificates {
        /// The authority's certificate.
        ca: PathBuf,
        /// Our own, with those between it and the authority's.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
        /// Whom a registry lets in, of those that the authority signed for.
        clients: Allowed,
    },
}

/// Characters of a secret at least: whoever listens could try shorter ones.
pub const SHORTEST_SECRET: usize = 32;

/// Why keys can't be used.
#[derive(Debug, Error)]
pub enum BadKeys {
    /// A secret that could be guessed.
    #[error(
        "the registry's secret has fewer than {SHORTEST_SECRET} characters; make one with \
             `openssl rand -hex 32`"
    )]
    Short,
    /// OpenSSL refuses a file.
    #[error("{file}: {why}")]
    File {
        /// Which one.
        file: String,
        /// Why.
        why: ErrorStack,
    },
    /// OpenSSL refuses something else.
    #[error("TLS can't be used: {0}")]
    Tls(#[from] ErrorStack),
}

/// The name under which the secret is known to OpenSSL.
const IDENTITY: &[u8] = b"tintype-registry";

/// Keys from outside are bound to SHA-256 (RFC 8446, "Pre-Shared Key Extension").
const SUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";

/// A client without a certificate is not let in.
pub(super) const BOTH_SIDES: SslVerifyMode =
    SslVerifyMode::PEER.union(SslVerifyMode::FAIL_IF_NO_PEER_CERT);

impl Keys {
    /// A secret. Space around it doesn't count.
    pub fn secret(text: &str) -> Result<Self, BadKeys> {
        let text = text.trim();
        if text.chars().count() < SHORTEST_SECRET {
            return Err(BadKeys::Short);
        }
        let labelled = [b"tintype registry\0".as_slice(), text.as_bytes()].concat();
        let digest = hash(MessageDigest::sha256(), &labelled)?;
        let mut key = [0; 32];
        key.copy_from_slice(&digest);
        Ok(Self::Secret(key))
    }

    pub(super) fn acceptor(&self) -> Result<SslAcceptor, BadKeys> {
        let mut builder = SslAcceptor::mozilla_modern_v5(SslMethod::tls_server())?;
        modern(&mut builder)?;
        match self {
            Self::Secret(secret) => {
                let secret = *secret;
                builder.set_ciphersuites(SUITES)?;
                builder.set_psk_server_callback(move |_, identity, key| {
                    match identity == Some(IDENTITY) {
                        true => Ok(written(key, &secret)),
                        false => Ok(0),
                    }
                });
            }
            Self::Certificates { .. } => self.certificates(&mut builder)?,
        }
        Ok(builder.build())
    }

    pub(super) fn connector(&self) -> Result<SslConnector, BadKeys> {
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        modern(&mut builder)?;
        match self {
            Self::Secret(secret) => {
                let secret = *secret;
                // Without the secret on the other side no certificate helps: none is trusted.
                builder.set_cert_store(openssl::x509::store::X509StoreBuilder::new()?.build());
                builder.set_verify(SslVerifyMode::PEER);
                builder.set_ciphersuites(SUITES)?;
                builder.set_psk_client_callback(move |_, _, identity, key| {
                    written(identity, &[IDENTITY, &[0]].concat());
                    Ok(written(key, &secret))
                });
            }
            Self::Certificates { .. } => {
                builder.set_cert_store(openssl::x509::store::X509StoreBuilder::new()?.build());
                self.certificates(&mut builder)?;
            }
        }
        Ok(builder.build())
    }

    fn certificates(&self, builder: &mut SslContextBuilder) -> Result<(), BadKeys> {
        let Self::Certificates { ca, certificate, key, .. } = self else { return Ok(()) };
        let file = |path: &PathBuf, done: Result<(), ErrorStack>| {
            done.map_err(|why| BadKeys::File { file: path.display().to_string(), why })
        };
        file(ca, builder.set_ca_file(ca))?;
        file(certificate, builder.set_certificate_chain_file(certificate))?;
        file(key, builder.set_private_key_file(key, SslFiletype::PEM))?;
        file(key, builder.check_private_key())?;
        builder.set_verify(BOTH_SIDES);
        Ok(())
    }
}

/// Each connection proves anew: nothing is resumed.
fn modern(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0)
}

/// Copies what fits whole; says how many bytes that are.
fn written(to: &mut [u8], what: &[u8]) -> usize {
    match to.get_mut(..what.len()) {
        Some(place) => {
            place.copy_from_slice(what);
            what.len()
        }
        None => 0,
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret"),
            Self::Certificates { certificate, .. } => {
                write!(f, "Certificates({})", certificate.display())
            }
        }
    }
}
