//! Signed images: what an import stores is verified as an upload is, after plugins have been at it,
//! as in Glance.

use image::Image;

use super::failure::Failure;
use crate::app::App;
use crate::digest::Digests;
use crate::keys::Token;

/// The digests that tell whether bytes are those of an image's record. Errors: as of [`digests`].
pub(super) async fn known_digests(
    app: &App,
    image: &Image,
    token: Option<&Token>,
) -> Result<Digests, Failure> {
    let known = image.hashes.as_ref().map(|hashes| &hashes.algorithm);
    digests(app, image, known.unwrap_or(&app.limits.hash_algorithm), token).await
}

/// The digests of an image's bytes, which fail at the end of bytes that are not those that were
/// signed. Errors: what is to verify a signed image can't be had.
pub(super) async fn digests(
    app: &App,
    image: &Image,
    algorithm: &str,
    token: Option<&Token>,
) -> Result<Digests, Failure> {
    let failed = |error: openssl::error::ErrorStack| Failure::Data(error.to_string());
    let digests = Digests::start(algorithm).map_err(failed)?;
    match app.keys.verifier(image, token).await? {
        Some(verifier) => digests.verified_by(verifier).map_err(failed),
        None => Ok(digests),
    }
}
