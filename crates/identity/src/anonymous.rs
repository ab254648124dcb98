//! Callers without a token, where they are welcome.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Authenticator, Caller, Error, Shown};

/// Whom another authenticator does not know may read what the policy shows to nobody in particular:
/// Glance's `allow_anonymous_access`. With Glance's default rules that is nothing.
pub struct Anonymous {
    known: Arc<dyn Authenticator>,
    nobody: Arc<Caller>,
}

impl Anonymous {
    /// Whoever `known` refuses is nobody.
    pub fn beside(known: Arc<dyn Authenticator>) -> Self {
        let nobody =
            Caller { is_admin_project: true, expires_at: Timestamp::MAX, ..Caller::default() };
        Self { known, nobody: Arc::new(nobody) }
    }

    fn or_nobody(&self, found: Result<Arc<Caller>, Error>) -> Result<Arc<Caller>, Error> {
        match found {
            Err(Error::NotAuthenticated) => Ok(Arc::clone(&self.nobody)),
            found => found,
        }
    }
}

#[async_trait]
impl Authenticator for Anonymous {
    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, Error> {
        self.or_nobody(self.known.authenticate(token).await)
    }

    async fn admit(&self, shown: Shown<'_>) -> Result<Arc<Caller>, Error> {
        self.or_nobody(self.known.admit(shown).await)
    }

    fn identity_url(&self) -> &str {
        self.known.identity_url()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(Error);

    #[async_trait]
    impl Authenticator for Broken {
        async fn authenticate(&self, _token: &str) -> Result<Arc<Caller>, Error> {
            Err(self.0)
        }
    }

    #[tokio::test]
    async fn whom_nobody_knows_is_nobody_unless_nobody_can_be_asked() {
        let admit =
            async |error| Anonymous::beside(Arc::new(Broken(error))).admit(Shown::default()).await;
        let caller = admit(Error::NotAuthenticated).await.unwrap();
        assert!(caller.is_anonymous() && caller.roles.is_empty() && !caller.is_admin);
        let shown = Shown { token: Some("t"), ..Shown::default() };
        let away = Anonymous::beside(Arc::new(Broken(Error::Unavailable)));
        assert_eq!(away.admit(shown).await.unwrap_err(), Error::Unavailable);
    }
}
