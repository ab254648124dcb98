//! The files of certificates that a connection string names. They are looked at before the database
//! is: one that is missing is nothing that waiting mends.
//!
//! sqlx reads them for each connection, and takes the first certificate of an authorities' file and
//! keys in PKCS #8 alone. Where that is less than a file has, it is given what it takes.

use std::fs;
use std::path::PathBuf;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::x509::X509;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Error, Result};

use super::Parameters;

/// The parameters that name files of authorities, of a certificate and of its key.
pub(super) type Names = [&'static str; 3];

/// The files of certificates that a connection string names.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Certificates {
    authorities: Option<Named>,
    certificate: Option<Named>,
    key: Option<Named>,
}

/// A file, and the parameter that names it.
#[derive(Debug, Clone)]
struct Named {
    parameter: &'static str,
    path: PathBuf,
}

/// How the options of connections take what is in files.
pub(in crate::sql) trait Trusting: Clone {
    /// Trusts an authority, whose certificate is in PEM.
    fn trusting(self, authority: Vec<u8>) -> Self;

    /// Proves who we are with a key in PEM.
    fn with_key(self, key: Vec<u8>) -> Self;
}

impl Trusting for MySqlConnectOptions {
    fn trusting(self, authority: Vec<u8>) -> Self {
        self.ssl_ca_from_pem(authority)
    }

    fn with_key(self, key: Vec<u8>) -> Self {
        self.ssl_client_key_from_pem(key)
    }
}

impl Trusting for PgConnectOptions {
    fn trusting(self, authority: Vec<u8>) -> Self {
        self.ssl_root_cert_from_pem(authority)
    }

    fn with_key(self, key: Vec<u8>) -> Self {
        self.ssl_client_key_from_pem(key)
    }
}

impl Certificates {
    pub(super) fn of(parameters: &Parameters, [authorities, certificate, key]: Names) -> Self {
        let named = |parameter| {
            let path = parameters.get(parameter)?.into();
            Some(Named { parameter, path })
        };
        Self { authorities: named(authorities), certificate: named(certificate), key: named(key) }
    }

    /// The ways to a server: one, or one for each of several authorities. Errors: `Configuration`
    /// names a file that can't be read or used.
    pub(in crate::sql) fn ways<T: Trusting>(&self, options: &T) -> Result<Vec<T>> {
        if let Some(file) = &self.certificate {
            file.certificates()?;
        }
        let mut options = options.clone();
        if let Some(key) = self.key.as_ref().map(Named::other_key).transpose()?.flatten() {
            options = options.with_key(key);
        }
        let authorities = self.authorities.as_ref().map(Named::certificates).transpose()?;
        let authorities = authorities.filter(|all| all.len() > 1).unwrap_or_default();
        if authorities.is_empty() {
            return Ok(vec![options]);
        }
        let trusting = |authority: &X509| Ok(options.clone().trusting(authority.to_pem()?));
        let ways: std::result::Result<_, ErrorStack> = authorities.iter().map(trusting).collect();
        ways.map_err(|error| Error::Configuration(error.into()))
    }
}

impl Named {
    /// What is in the file; at least one.
    fn certificates(&self) -> Result<Vec<X509>> {
        let all = X509::stack_from_pem(&self.read()?).map_err(|error| self.unusable(error))?;
        if all.is_empty() { Err(self.unusable("there is no certificate in it")) } else { Ok(all) }
    }

    /// The key in PKCS #8, where the file has it in another form. One with a password is refused:
    /// nobody is there to be asked for it.
    fn other_key(&self) -> Result<Option<Vec<u8>>> {
        let text = self.read()?;
        let key = PKey::private_key_from_pem_callback(&text, |_| Ok(0));
        let key = key.map_err(|error| self.unusable(error))?;
        if text.starts_with(b"-----BEGIN PRIVATE KEY-----") {
            return Ok(None);
        }
        key.private_key_to_pem_pkcs8().map(Some).map_err(|error| self.unusable(error))
    }

    fn read(&self) -> Result<Vec<u8>> {
        fs::read(&self.path).map_err(|error| self.unusable(error))
    }

    fn unusable(&self, why: impl ToString) -> Error {
        let Self { parameter, path } = self;
        let why = format!("{parameter} {}: {}", path.display(), why.to_string());
        Error::Configuration(why.into())
    }
}
