//! No identity at all.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Authenticator, Caller, Error, Shown};

/// Every request is an administrator's, with any token: Glance's `flavor = none`. For benchmarks
/// and for services behind a gate of their own; never a default.
#[derive(Debug, Clone)]
pub struct NoAuth(Arc<Caller>);

impl NoAuth {
    /// Everybody is an administrator of the project with this id.
    pub fn new(project_id: &str) -> Self {
        Self(Arc::new(Caller {
            user_id: "anonymous".to_owned(),
            user_name: "anonymous".to_owned(),
            user_domain_id: "default".to_owned(),
            project_id: Some(project_id.to_owned()),
            project_name: Some(project_id.to_owned()),
            project_domain_id: Some("default".to_owned()),
            roles: ["admin", "manager", "member", "reader"].map(str::to_owned).to_vec(),
            is_admin: true,
            is_admin_project: true,
            expires_at: Timestamp::MAX,
            ..Caller::default()
        }))
    }
}

#[async_trait]
impl Authenticator for NoAuth {
    async fn authenticate(&self, _token: &str) -> Result<Arc<Caller>, Error> {
        Ok(Arc::clone(&self.0))
    }

    /// A token is not even asked for.
    async fn admit(&self, _shown: Shown<'_>) -> Result<Arc<Caller>, Error> {
        Ok(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_token_is_an_administrators() {
        let caller = NoAuth::new("p").authenticate("").await.unwrap();
        assert!(caller.is_admin);
        assert_eq!(caller.project_id.as_deref(), Some("p"));
        assert!(!caller.is_expired(Timestamp::now()));
    }
}
