//! The built-in identity: enough of Keystone v3 for a service that stands alone.
//!
//! [`BuiltIn::open`] keeps users, projects, roles and tokens in `identity.db` of the state
//! directory; the first start makes an administrator and writes `clouds.yaml` beside it.
//! [`BuiltIn::router`] answers Keystone's clients; as an [`Authenticator`] it answers the service.
//! Only one process works with a state directory: what it validated it remembers.

mod bootstrap;
mod cache;
mod clouds;
mod database;
mod endpoints;
mod error;
mod login;
mod password;
mod routes;
mod secret;
mod token;
mod tokens;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use jiff::SignedDuration;
use sqlx::SqlitePool;

pub use self::endpoints::Endpoints;
use self::error::Problem;
use crate::clock::Clock;
use crate::{Authenticator, Caller, Error};

/// How long a token lives unless told otherwise.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(4);

/// The built-in identity. Clones are the same one.
#[derive(Clone)]
pub struct BuiltIn {
    db: SqlitePool,
    endpoints: Arc<Endpoints>,
    passwords: Arc<password::Passwords>,
    cache: Arc<cache::Cache>,
    clock: Clock,
    token_life: SignedDuration,
}

/// Why the built-in identity can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or directory can't be read or written.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database can't be read or written.
    #[error("the identity database")]
    Database(#[from] sqlx::Error),
    /// The database was written by a later version of this program.
    #[error("the identity database is of version {found}; this program knows version {known}")]
    Version {
        /// The version of the file.
        found: i64,
        /// The version known here.
        known: i64,
    },
    /// OpenSSL has no randomness.
    #[error("the random number generator")]
    Random(#[from] openssl::error::ErrorStack),
    /// The first password can't be hashed.
    #[error("{0}")]
    Password(String),
}

impl From<Problem> for OpenError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Internal(why) => Self::Password(why),
            other => Self::Password(other.to_string()),
        }
    }
}

impl BuiltIn {
    /// Opens what an earlier start left in `state_dir`, or makes it: the database, an
    /// administrator with a random password, and a `clouds.yaml` that logs in with it. A later
    /// start corrects only the address in that file, where `endpoints` changed.
    pub async fn open(state_dir: &Path, endpoints: Endpoints) -> Result<Self, OpenError> {
        make_private_dir(state_dir)
            .map_err(|source| OpenError::File { path: state_dir.into(), source })?;
        let db = database::open(&state_dir.join("identity.db")).await?;
        let passwords = password::Passwords::new(secret::Secret::random()?.reveal())?;
        bootstrap::first_start(&db, state_dir, &endpoints, &passwords).await?;
        Ok(Self {
            db,
            endpoints: Arc::new(endpoints),
            passwords: Arc::new(passwords),
            cache: Arc::default(),
            clock: Clock::default(),
            token_life: TOKEN_LIFE,
        })
    }

    /// The same, issuing tokens that live as long as said; 4 hours otherwise.
    pub fn with_token_life(self, token_life: SignedDuration) -> Self {
        Self { token_life, ..self }
    }

    /// Keystone's interface, to be put at `/identity` of the endpoints' base: with `nest_service`,
    /// which takes `/identity/` too.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Where the file is that [`BuiltIn::open`] leaves in `state_dir` for clients.
    pub fn clouds_yaml(state_dir: &Path) -> PathBuf {
        clouds::path(state_dir)
    }
}

#[async_trait]
impl Authenticator for BuiltIn {
    fn identity_url(&self) -> &str {
        self.endpoints.identity()
    }

    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, Error> {
        match self.validate(token).await {
            Ok(token) => Ok(Arc::clone(&token.caller)),
            Err(Problem::Internal(why)) => {
                tracing::error!(%why, "a token can't be validated");
                Err(Error::Unavailable)
            }
            Err(_) => Err(Error::NotAuthenticated),
        }
    }
}

fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::routes::testing::Cloud;
    use super::*;

    async fn reopen(cloud: &Cloud, base: &str) -> Cloud {
        let identity = BuiltIn::open(cloud.dir.path(), Endpoints::at(base)).await.unwrap();
        Cloud { identity, dir: tempfile::tempdir().unwrap() }
    }

    #[tokio::test]
    async fn a_later_start_keeps_password_and_tokens_and_follows_the_port() {
        let cloud = Cloud::new().await;
        let (password, token) = (cloud.admin_password(), cloud.admin().await);
        let later = reopen(&cloud, "http://cloud.test:8080").await;
        assert_eq!(cloud.admin_password(), password);
        assert_eq!(later.login("admin", &password, None).await.status, 201);
        assert!(later.identity.authenticate(&token).await.is_ok());
        let clouds = std::fs::read_to_string(BuiltIn::clouds_yaml(cloud.dir.path())).unwrap();
        assert!(clouds.contains("auth_url: http://cloud.test:8080/identity/v3\n"), "{clouds}");
    }

    #[tokio::test]
    async fn what_is_kept_is_the_owners_only_and_opens_nothing() {
        let cloud = Cloud::new().await;
        let (password, token) = (cloud.admin_password(), cloud.admin().await);
        for entry in std::fs::read_dir(cloud.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{path:?}");
            let bytes = std::fs::read(&path).unwrap();
            let holds = |secret: &str| {
                bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
            };
            assert!(!holds(&token), "{path:?}");
            assert!(!holds(&password) || path.ends_with("clouds.yaml"), "{path:?}");
        }
    }

    #[tokio::test]
    async fn a_database_of_a_later_version_is_left_alone() {
        let cloud = Cloud::new().await;
        sqlx::raw_sql("PRAGMA user_version = 99").execute(&cloud.identity.db).await.unwrap();
        let opened = BuiltIn::open(cloud.dir.path(), Endpoints::at("http://cloud.test")).await;
        assert!(matches!(opened, Err(OpenError::Version { found: 99, .. })));
    }

    #[tokio::test]
    async fn tokens_become_callers_until_they_are_revoked() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (token, user, project) = cloud.member(&admin).await;
        let caller = cloud.identity.authenticate(&token).await.unwrap();
        assert_eq!((&caller.user_id, caller.project_id.as_ref()), (&user, Some(&project)));
        assert_eq!(
            (caller.roles.as_slice(), caller.is_admin),
            (&["member", "reader"].map(str::to_owned)[..], false)
        );
        assert!(cloud.identity.authenticate(&admin).await.unwrap().is_admin);
        cloud.delete(&format!("/v3/users/{user}"), Some(&admin)).await;
        for token in [token.as_str(), "", "made up"] {
            let refused = cloud.identity.authenticate(token).await;
            assert_eq!(refused.unwrap_err(), Error::NotAuthenticated);
        }
    }

    #[tokio::test]
    async fn a_token_lives_as_long_as_said() {
        let cloud = Cloud::new().await;
        let identity = cloud.identity.clone().with_token_life(SignedDuration::from_mins(1));
        let brief = Cloud { identity, dir: cloud.dir };
        let token = brief.admin().await;
        assert!(brief.identity.authenticate(&token).await.is_ok());
        brief.identity.clock.advance(SignedDuration::from_mins(1));
        assert!(brief.identity.authenticate(&token).await.is_err());
    }

    #[tokio::test]
    async fn a_database_that_fails_opens_no_door() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        cloud.identity.cache.forget();
        cloud.identity.db.close().await;
        assert_eq!(cloud.identity.authenticate(&admin).await.unwrap_err(), Error::Unavailable);
        let answer = cloud.get("/v3/users", Some(&admin)).await;
        assert_eq!(
            answer.error(),
            (500, "An unexpected error prevented the server from fulfilling your request.")
        );
    }
}
