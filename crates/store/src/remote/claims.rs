//! One writer for each image. Servers of objects take the last of several writers for the right
//! one, so the second one has to be refused here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use image::ImageId;

/// The images that are being written.
#[derive(Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<HashSet<ImageId>>>);

impl Claims {
    /// The right to write an image, for as long as it lives; `None` while another has it.
    pub(crate) fn claim(&self, id: ImageId) -> Option<Claim> {
        let new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        new.then(|| Claim { claims: self.clone(), id })
    }
}

/// The right to write an image.
pub(crate) struct Claim {
    claims: Claims,
    id: ImageId,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_one_writer_at_a_time() {
        let (claims, id) = (Claims::default(), ImageId::random());
        let first = claims.claim(id);
        assert!(first.is_some() && claims.claim(id).is_none());
        assert!(claims.claim(ImageId::random()).is_some());
        drop(first);
        assert!(claims.claim(id).is_some());
    }
}
