//! Keys and certificates that images name: from a directory of this machine, or from Barbican with
//! the caller's own token, so that nobody gets at what they could not get at themselves.

mod barbican;
mod directory;
mod endpoint;
mod settings;

use identity::Caller;
use image::Image;
use signature::{Signed, Verifier, X509, check_trust, read_certificate};
use thiserror::Error;

use barbican::Barbican;
use directory::Directory;

pub(crate) use barbican::Token;
pub use settings::Settings;

/// Glance's properties of an encrypted volume's image: which key, and whether it goes with it.
const KEY: &str = "cinder_encryption_key_id";
const KEY_POLICY: &str = "cinder_encryption_key_deletion_policy";
const WITH_THE_IMAGE: &str = "on_image_deletion";

/// Why a key or certificate can't be had. No text tells where it was looked for.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Signature(#[from] signature::Error),
    #[error("Signature verification for the image failed: Certificate not found with ID: {0}.")]
    NotFound(String),
    #[error(
        "Signature verification for the image failed: Unable to retrieve certificate with ID: {0}."
    )]
    Unavailable(String),
}

/// Why a keeper of keys does not give one.
#[derive(Debug, Error)]
enum Missing {
    #[error("there is none of this id")]
    NotFound,
    #[error("{0}")]
    Failed(String),
}

/// Where keys and certificates are.
pub struct Keys {
    settings: Settings,
    directory: Option<Directory>,
    barbican: Option<Barbican>,
}

impl Keys {
    /// Errors: the configured certificates of authorities can't be read.
    pub fn open(settings: Settings) -> std::io::Result<Self> {
        Ok(Self {
            directory: settings.certificate_dir.clone().map(Directory::new),
            barbican: settings.barbican.as_ref().map(Barbican::new).transpose()?,
            settings,
        })
    }

    /// What checks the bytes of this image; `None` when it is not signed.
    pub(crate) async fn verifier(
        &self,
        image: &Image,
        token: Option<&Token>,
    ) -> Result<Option<Verifier>, Error> {
        let property = |name: &str| image.properties.get(name).map(String::as_str);
        let Some(signed) = Signed::read(property)? else { return Ok(None) };
        let certificate = self.certificate(&signed.certificate, token).await?;
        self.check(&certificate, token).await?;
        Ok(Some(Verifier::new(signed, &certificate)?))
    }

    /// Where nothing is said to be trusted, whoever may keep a certificate is, as in Glance.
    async fn check(&self, certificate: &X509, token: Option<&Token>) -> Result<(), Error> {
        if self.settings.trusted.is_empty() {
            return Ok(());
        }
        let mut trusted = Vec::with_capacity(self.settings.trusted.len());
        for id in &self.settings.trusted {
            match self.certificate(id, token).await {
                Ok(certificate) => trusted.push(certificate),
                Err(error) => tracing::warn!(%id, %error, "a trusted certificate is left out"),
            }
        }
        Ok(check_trust(certificate, &trusted, self.settings.dates)?)
    }

    async fn certificate(&self, id: &str, token: Option<&Token>) -> Result<X509, Error> {
        // What an image says becomes part of a path or of a URL.
        let found = match is_id(id) {
            true => self.find(id, token).await,
            false => Err(Missing::NotFound),
        };
        match found {
            Ok(bytes) => Ok(read_certificate(&bytes)?),
            Err(Missing::NotFound) => Err(Error::NotFound(id.to_owned())),
            Err(Missing::Failed(why)) => {
                tracing::error!(%id, %why, "a certificate can't be retrieved");
                Err(Error::Unavailable(id.to_owned()))
            }
        }
    }

    /// The directory first.
    async fn find(&self, id: &str, token: Option<&Token>) -> Result<Vec<u8>, Missing> {
        if let Some(directory) = &self.directory {
            match directory.certificate(id).await {
                Err(Missing::NotFound) if self.barbican.is_some() => {}
                found => return found,
            }
        }
        match &self.barbican {
            Some(barbican) => barbican.secret(id, token).await,
            None => Err(Missing::Failed(
                "neither [barbican] barbican_endpoint or auth_endpoint nor \
                 [image_signature] certificate_dir is configured"
                    .to_owned(),
            )),
        }
    }

    /// Deletes the encryption key that was to go with this image, as its deleter. The image is
    /// gone already: what fails is logged.
    pub(crate) async fn delete_key_of(
        &self,
        image: &Image,
        caller: &Caller,
        token: Option<&Token>,
    ) {
        let property = |name: &str| image.properties.get(name).map(String::as_str);
        let (Some(id), Some(WITH_THE_IMAGE)) = (property(KEY), property(KEY_POLICY)) else {
            return;
        };
        let deleted = match &self.barbican {
            Some(barbican) if is_id(id) => barbican.delete(id, token).await,
            Some(_) => Err(Missing::NotFound),
            None => Err(Missing::Failed(
                "[barbican] barbican_endpoint or auth_endpoint is not configured".into(),
            )),
        };
        if let Err(why) = deleted {
            let (image, user) = (image.id, &caller.user_id);
            tracing::warn!(%image, %user, %why, "the encryption key of a deleted image stays");
        }
    }
}

/// Whether a text may be a key's id: a UUID, with or without hyphens.
fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.len() <= 36
}
