//! Whether an upload has to be undone where it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// Whether anything of an upload may be there that is not to stay. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Begun(Arc<AtomicBool>);

impl Begun {
    /// From now on something may be there.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Passes an error on. What is there already is another's, and not to be undone.
    pub(crate) fn spare_others(&self, error: Error) -> Error {
        if matches!(error, Error::Exists(_)) {
            self.0.store(false, Ordering::SeqCst);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_has_stored_is_not_undone() {
        let begun = Begun::default();
        assert!(!begun.is_set());
        begun.clone().set();
        begun.spare_others(Error::Full("x".into()));
        assert!(begun.is_set());
        begun.spare_others(Error::Exists("x".into()));
        assert!(!begun.is_set());
    }
}
