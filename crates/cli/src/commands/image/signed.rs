//! Checking the signature of an image that is pulled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use client::Image;
use signature::{Dates, Signed, Verifier, X509, check_trust, read_certificate};

/// How a pull checks a signature.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Verify the image's signature too, with this certificate (PEM or DER), which whoever pulls
    /// has from elsewhere: the image only says by its properties img_signature,
    /// img_signature_hash_method, img_signature_key_type and img_signature_certificate_uuid how and
    /// with which it was signed. A file appears only when the signature fits; an image that is not
    /// signed is not pulled.
    #[arg(long, value_name = "CERTIFICATE")]
    verify_signature: Option<PathBuf>,

    /// The certificate must be valid now and lead, by certificates that are given so, to a
    /// self-signed one among them; may be repeated.
    #[arg(long, value_name = "CERTIFICATE", requires = "verify_signature")]
    trust: Vec<PathBuf>,
}

impl Options {
    /// What checks the bytes of this image, where that is asked for.
    pub(super) fn verifier(&self, image: &Image) -> anyhow::Result<Option<Arc<Verifier>>> {
        let Some(path) = &self.verify_signature else { return Ok(None) };
        let certificate = read(path)?;
        if !self.trust.is_empty() {
            let trusted =
                self.trust.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
            check_trust(&certificate, &trusted, Dates::Enforced)?;
        }
        let property = |name: &str| image.extra.get(name)?.as_str();
        let Some(signed) = Signed::read(property)? else {
            bail!("image {} is not signed: it lacks properties img_signature…", image.id);
        };
        Ok(Some(Arc::new(Verifier::new(signed, &certificate)?)))
    }
}

fn read(path: &Path) -> anyhow::Result<X509> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    read_certificate(&bytes).with_context(|| format!("{} is no certificate", path.display()))
}
