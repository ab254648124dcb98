//! Logging in: to Keystone (v3), or to Swift's own accounts (v1). Either gives a token and the URL
//! of an account; so does who has logged in already.

use std::fmt;

use client::Secret;
use client::cloud::{Domain, KeystoneLogin, Named, Proof, Scope};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode, Url};

use crate::remote::{Failed, Grant, Http, Wanted, retried};
use crate::{Error, Result};

/// A log-in, and where.
#[derive(Clone)]
pub(super) enum Login {
    /// With Swift's own accounts (`tempauth`): version 1.
    Own { auth: Url, user: String, key: Secret },
    /// With Keystone.
    Keystone(Box<KeystoneLogin>),
    /// Somebody has: a token, and an account that it is used in. It can't be renewed.
    Given { token: Secret, account: Url },
}

/// Only where, not as whom.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.auth())
    }
}

impl Login {
    /// Where the log-in is made.
    pub(super) fn auth(&self) -> &Url {
        match self {
            Self::Own { auth, .. } => auth,
            Self::Keystone(login) => &login.auth_url,
            Self::Given { account, .. } => account,
        }
    }

    /// Keystone's for a user `ACCOUNT:USER`.
    pub(super) fn keystone(
        auth_url: Url,
        (project, project_domain): (&str, Domain),
        (user, user_domain): (&str, Domain),
        password: Secret,
    ) -> Self {
        let user = Named::Name { name: user.to_owned(), domain: user_domain };
        let project = Named::Name { name: project.to_owned(), domain: project_domain };
        Self::Keystone(Box::new(KeystoneLogin {
            auth_url,
            proof: Proof::Password { user, password },
            scope: Scope::Project(project),
        }))
    }

    /// The domains of the project and of the user, where they are known by name.
    pub(super) fn domains(&self) -> Option<(Domain, Domain)> {
        let Self::Keystone(login) = self else { return None };
        match (&login.scope, &login.proof) {
            (
                Scope::Project(Named::Name { domain: project, .. }),
                Proof::Password { user: Named::Name { domain: user, .. }, .. },
            ) => Some((project.clone(), user.clone())),
            _ => None,
        }
    }

    /// Whether it is the same user's, be it with another secret.
    pub(super) fn is_of_same_user(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own { user, .. }, Self::Own { user: other, .. }) => user == other,
            (Self::Keystone(one), Self::Keystone(other)) => {
                let user = |login: &KeystoneLogin| match &login.proof {
                    Proof::Password { user, .. } => Some(user.clone()),
                    _ => None,
                };
                user(one).is_some() && user(one) == user(other) && one.scope == other.scope
            }
            _ => false,
        }
    }

    /// Whether another log-in may give another token.
    pub(super) fn is_renewable(&self) -> bool {
        !matches!(self, Self::Given { .. })
    }

    /// Logs in. Errors: `Forbidden`, `Unavailable`.
    pub(super) async fn grant(&self, store: &str, http: &Http, wanted: &Wanted) -> Result<Grant> {
        match self {
            Self::Own { auth, user, key } => {
                retried(|| own(store, http, wanted, (auth, user, key))).await
            }
            Self::Keystone(login) => Grant::of_keystone(store, wanted, login).await,
            Self::Given { token, account } => {
                let (token, service) = (token.clone(), account.clone());
                Ok(Grant { token, service, expires_at: None })
            }
        }
    }
}

async fn own(
    store: &str,
    http: &Http,
    wanted: &Wanted,
    (auth, user, key): (&Url, &str, &Secret),
) -> Result<Grant, Failed> {
    let away = |why: String| Error::Unavailable { store: store.to_owned(), why };
    let request = http.request(Method::GET, auth.clone());
    let request = request.header("x-auth-user", user).header("x-auth-key", key.expose());
    let answer = http.ask(request, away).await?;
    let status = answer.status();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    match status {
        status if status.is_success() => {
            let account = header("x-storage-url").and_then(|url| url.parse().ok());
            let account = wanted.endpoint.clone().or(account);
            let token = header("x-auth-token").map(Secret::new);
            let unclear = || away("a log-in is answered without a token or an account".to_owned());
            let (token, service) = token.zip(account).ok_or_else(unclear)?;
            let life = header("x-auth-token-expires").and_then(|life| life.parse().ok());
            let life: Option<i64> = life;
            let expires_at = life.map(|life| Timestamp::now() + SignedDuration::from_secs(life));
            Ok(Grant { token, service, expires_at })
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Forbidden {
            store: store.to_owned(),
            why: format!("the log-in at {auth} is answered with {status}"),
        }
        .into()),
        status => {
            Err(Failed::Passing(away(format!("the log-in at {auth} is answered with {status}"))))
        }
    }
}
