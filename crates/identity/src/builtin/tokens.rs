//! The life of a token: issued, validated, revoked.

use std::sync::Arc;

use jiff::Timestamp;

use super::BuiltIn;
use super::database::assignments::{self, Scope};
use super::database::domains::{self, Domain};
use super::database::roles::Role;
use super::database::tokens::{self, Ground, Issued};
use super::database::users::User;
use super::database::{projects, users};
use super::error::Problem;
use super::secret::{Secret, audit_id};
use super::token::{Named, ScopeNames, Token};
use crate::Caller;
use crate::digest::Digest;

/// What a new token is to be.
pub(crate) struct Order {
    pub(crate) user_id: String,
    pub(crate) scope: Option<Scope>,
    /// How the user proved who it is.
    pub(crate) methods: Vec<String>,
    /// What proved it.
    pub(crate) ground: Ground,
    /// The token that proved it, if one did. The new one expires with it.
    pub(crate) parent: Option<Arc<Token>>,
}

impl BuiltIn {
    /// Unauthorized unless the user may have such a token: it and its scope exist and are enabled,
    /// and it holds a role there.
    pub(crate) async fn issue(&self, order: Order) -> Result<(Secret, Arc<Token>), Problem> {
        let now = self.clock.now();
        let secret = Secret::random().map_err(Problem::internal)?;
        let digest = Digest::of(secret.reveal());
        let ground = order.ground.clone();
        let issued = self.fill_in(order, now);
        let era = self.cache.era();
        let token = self.describe(digest, &issued).await?.ok_or(Problem::Unauthorized)?;
        tokens::delete_expired(&self.db, now.as_second()).await?;
        if !tokens::insert(&self.db, &digest, &issued, &ground).await? {
            return Err(Problem::Unauthorized);
        }
        let token = Arc::new(token);
        self.cache.put(era, Arc::clone(&token), now);
        Ok((secret, token))
    }

    fn fill_in(&self, order: Order, now: Timestamp) -> Issued {
        let parent = order.parent.as_deref();
        let expires_at = match parent {
            Some(parent) => parent.caller.expires_at.as_second(),
            None => now.as_second().saturating_add(self.token_life.as_secs()),
        };
        let inherited = parent.and_then(|parent| parent.audit_ids.last());
        Issued {
            user_id: order.user_id,
            scope: order.scope,
            methods: order.methods,
            audit_ids: [audit_id()].into_iter().chain(inherited.cloned()).collect(),
            issued_at: now.as_second(),
            expires_at,
        }
    }

    /// The token, if it was issued here, lives, and everything it refers to is still in force.
    pub(crate) async fn validate(&self, secret: &str) -> Result<Arc<Token>, Problem> {
        let (digest, now) = (Digest::of(secret), self.clock.now());
        if let Some(token) = self.cache.get(&digest, now) {
            return Ok(token);
        }
        let era = self.cache.era();
        let token = self.read(digest, now).await?.ok_or(Problem::TokenNotFound)?;
        let token = Arc::new(token);
        self.cache.put(era, Arc::clone(&token), now);
        Ok(token)
    }

    async fn read(&self, digest: Digest, now: Timestamp) -> Result<Option<Token>, Problem> {
        match tokens::get(&self.db, &digest).await? {
            Some(issued) if issued.expires_at > now.as_second() => {
                self.describe(digest, &issued).await
            }
            _ => Ok(None),
        }
    }

    /// Revokes one token.
    pub(crate) async fn revoke(&self, digest: Digest) -> Result<(), Problem> {
        let db = self.db.clone();
        let cache = Arc::clone(&self.cache);
        finish(async move {
            let done = tokens::delete(&db, &digest).await;
            cache.forget_one(&digest);
            Ok(done?)
        })
        .await
    }

    /// Changes users, projects, roles or assignments, then forgets what was known of tokens. Runs
    /// to its end even when the request that asked for it is gone.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let cache = Arc::clone(&self.cache);
        finish(async move {
            let done = work.await;
            cache.forget();
            done
        })
        .await
    }

    /// What a token says, unless something that it refers to is gone or disabled.
    async fn describe(&self, digest: Digest, issued: &Issued) -> Result<Option<Token>, Problem> {
        let user = users::get(&self.db, &issued.user_id).await?;
        let Some(user) = user.filter(|user| user.enabled) else { return Ok(None) };
        let Some(user_domain) = self.enabled_domain(&user.domain_id).await? else {
            return Ok(None);
        };
        let mut caller = unscoped_caller(user, issued)?;
        let (mut scope, mut roles) = (None, vec![]);
        if let Some(wanted) = &issued.scope {
            let Some(entered) = self.enter(&caller.user_id, wanted).await? else {
                return Ok(None);
            };
            scope_caller(&mut caller, &entered.0, &entered.1);
            (scope, roles) = (Some(entered.0), entered.1);
        }
        Ok(Some(Token {
            digest,
            caller: Arc::new(caller),
            user_domain,
            scope,
            roles,
            methods: issued.methods.clone(),
            audit_ids: issued.audit_ids.clone(),
            issued_at: timestamp(issued.issued_at)?,
        }))
    }

    /// A scope and the roles that a user holds there; none if it holds none.
    pub(crate) async fn enter(
        &self,
        user_id: &str,
        scope: &Scope,
    ) -> Result<Option<(ScopeNames, Vec<Role>)>, Problem> {
        let Some(names) = self.enabled_scope(scope).await? else { return Ok(None) };
        let roles = assignments::effective_roles(&self.db, user_id, scope).await?;
        Ok((!roles.is_empty()).then_some((names, roles)))
    }

    async fn enabled_domain(&self, id: &str) -> Result<Option<Named>, Problem> {
        let domain = domains::get(&self.db, id).await?.filter(|domain| domain.enabled);
        Ok(domain.map(|Domain { id, name, .. }| Named { id, name }))
    }

    async fn enabled_scope(&self, scope: &Scope) -> Result<Option<ScopeNames>, Problem> {
        let id = match scope {
            Scope::Domain(id) => {
                return Ok(self.enabled_domain(id).await?.map(ScopeNames::Domain));
            }
            Scope::Project(id) => id,
        };
        let Some(project) = projects::get(&self.db, id).await?.filter(|project| project.enabled)
        else {
            return Ok(None);
        };
        let domain = self.enabled_domain(&project.domain_id).await?;
        let project = Named { id: project.id, name: project.name };
        Ok(domain.map(|domain| ScopeNames::Project { project, domain }))
    }
}

/// Awaits work that is not dropped halfway when nobody awaits it any more.
async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.map_err(Problem::internal)?
}

fn unscoped_caller(user: User, issued: &Issued) -> Result<Caller, Problem> {
    Ok(Caller {
        user_id: user.id,
        user_name: user.name,
        user_domain_id: user.domain_id,
        is_admin_project: true,
        expires_at: timestamp(issued.expires_at)?,
        ..Caller::default()
    })
}

fn scope_caller(caller: &mut Caller, scope: &ScopeNames, roles: &[Role]) {
    caller.roles = roles.iter().map(|role| role.name.clone()).collect();
    caller.is_admin = caller.has_role("admin");
    match scope {
        ScopeNames::Domain(domain) => caller.domain_id = Some(domain.id.clone()),
        ScopeNames::Project { project, domain } => {
            caller.project_id = Some(project.id.clone());
            caller.project_name = Some(project.name.clone());
            caller.project_domain_id = Some(domain.id.clone());
        }
    }
}

fn timestamp(second: i64) -> Result<Timestamp, Problem> {
    Timestamp::from_second(second).map_err(Problem::internal)
}
