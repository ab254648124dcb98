//! Proving who one is, and choosing what for.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::BuiltIn;
use super::database::assignments::Scope;
use super::database::domains::{self, Domain};
use super::database::projects;
use super::database::tokens::Ground;
use super::database::users::{self, User};
use super::error::Problem;
use super::secret::Secret;
use super::token::Token;
use super::tokens::Order;

/// Keystone's `[identity] max_password_length`, in bytes.
pub(crate) const MAX_PASSWORD: usize = 4096;

/// The body of `POST /v3/auth/tokens`. None of these types can be printed: they hold secrets.
#[derive(Deserialize)]
pub(crate) struct Request {
    pub(crate) auth: Auth,
}

#[derive(Deserialize)]
pub(crate) struct Auth {
    identity: Identity,
    scope: Option<Requested>,
}

#[derive(Deserialize)]
struct Identity {
    methods: Vec<String>,
    password: Option<Password>,
    token: Option<TokenMethod>,
}

#[derive(Deserialize)]
struct Password {
    user: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(flatten)]
    user: Reference,
    password: String,
}

#[derive(Deserialize)]
struct TokenMethod {
    id: String,
}

/// A user or project: by id, or by name within a domain.
#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    name: Option<String>,
    domain: Option<DomainReference>,
}

#[derive(Deserialize)]
struct DomainReference {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Requested {
    /// `"scope": "unscoped"`.
    Word(String),
    Where {
        project: Option<Reference>,
        domain: Option<DomainReference>,
        unscoped: Option<Value>,
    },
}

/// A new token.
pub(crate) struct Login {
    pub(crate) secret: Secret,
    pub(crate) token: Arc<Token>,
}

/// Who was proved, and how.
struct Proof {
    user: User,
    methods: Vec<String>,
    ground: Ground,
    parent: Option<Arc<Token>>,
}

impl BuiltIn {
    /// A token for whoever proves to be somebody. Every failure is the same 401.
    pub(crate) async fn login(&self, auth: Auth) -> Result<Login, Problem> {
        let proof = self.prove(auth.identity).await?;
        let scope = match auth.scope {
            Some(requested) => self.find_scope(requested).await?,
            None => self.default_scope(&proof.user).await?,
        };
        let Proof { user, methods, ground, parent } = proof;
        let order = Order { user_id: user.id, scope, methods, ground, parent };
        let (secret, token) = self.issue(order).await?;
        Ok(Login { secret, token })
    }

    /// With several methods each must succeed, for the same user.
    async fn prove(&self, identity: Identity) -> Result<Proof, Problem> {
        let Identity { methods, mut password, mut token } = identity;
        let mut proof: Option<Proof> = None;
        for method in &methods {
            let next = match method.as_str() {
                "password" => self.by_password(take(&mut password, method)?).await?,
                "token" => self.by_token(take(&mut token, method)?).await?,
                _ => return Err(Problem::Unauthorized),
            };
            proof = Some(match proof {
                None => next,
                Some(first) if first.user.id == next.user.id => first.and(next),
                Some(_) => return Err(Problem::Unauthorized),
            });
        }
        proof.ok_or_else(|| Problem::missing("methods", "identity"))
    }

    async fn by_password(&self, password: Password) -> Result<Proof, Problem> {
        let Credentials { user, password } = password.user;
        let user = self.check_password(self.find_user(user).await?, password).await?;
        let hash = user.password_hash.clone().ok_or(Problem::Unauthorized)?;
        let ground = Ground::Password { hash };
        Ok(Proof { user, methods: vec!["password".to_owned()], ground, parent: None })
    }

    /// The user, if the password is its own. Takes the same time when there is no user.
    pub(crate) async fn check_password(
        &self,
        user: Option<User>,
        password: String,
    ) -> Result<User, Problem> {
        if password.len() > MAX_PASSWORD {
            return Err(Problem::Unauthorized);
        }
        let known = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = self.passwords.verify(password, known).await?;
        user.filter(|_| right).ok_or(Problem::Unauthorized)
    }

    async fn by_token(&self, method: TokenMethod) -> Result<Proof, Problem> {
        let parent = match self.validate(&method.id).await {
            Err(Problem::TokenNotFound) => return Err(Problem::Unauthorized),
            other => other?,
        };
        let user = users::get(&self.db, &parent.caller.user_id).await?;
        let mut methods = parent.methods.clone();
        methods.push("token".to_owned());
        Ok(Proof {
            user: user.ok_or(Problem::Unauthorized)?,
            methods: distinct(methods),
            ground: Ground::Token(parent.digest),
            parent: Some(parent),
        })
    }

    async fn find_user(&self, wanted: Reference) -> Result<Option<User>, Problem> {
        if let Some(id) = wanted.id {
            return Ok(users::get(&self.db, &id).await?);
        }
        let (name, domain) = wanted.name_and_domain("user")?;
        let Some(domain) = self.find_domain(domain).await? else { return Ok(None) };
        let filter =
            users::Filter { name: Some(&name), domain_id: Some(&domain.id), ..Default::default() };
        Ok(users::list(&self.db, filter).await?.pop())
    }

    async fn find_domain(&self, wanted: DomainReference) -> Result<Option<Domain>, Problem> {
        Ok(match (wanted.id, wanted.name) {
            (Some(id), _) => domains::get(&self.db, &id).await?,
            (None, Some(name)) => domains::named(&self.db, &name).await?,
            (None, None) => return Err(Problem::missing("id or name", "domain")),
        })
    }

    async fn find_scope(&self, requested: Requested) -> Result<Option<Scope>, Problem> {
        match requested {
            Requested::Word(word) if word == "unscoped" => Ok(None),
            Requested::Where { project: Some(project), domain: None, unscoped: None } => {
                self.find_project(project).await.map(Some)
            }
            Requested::Where { project: None, domain: Some(domain), unscoped: None } => {
                let found = self.find_domain(domain).await?.ok_or(Problem::Unauthorized)?;
                Ok(Some(Scope::Domain(found.id)))
            }
            Requested::Where { project: None, domain: None, unscoped: Some(_) } => Ok(None),
            _ => Err(Problem::missing("project, domain or unscoped", "scope")),
        }
    }

    async fn find_project(&self, wanted: Reference) -> Result<Scope, Problem> {
        if let Some(id) = wanted.id {
            return Ok(Scope::Project(id));
        }
        let (name, domain) = wanted.name_and_domain("project")?;
        let domain = self.find_domain(domain).await?.ok_or(Problem::Unauthorized)?;
        let filter = projects::Filter {
            name: Some(&name),
            domain_id: Some(&domain.id),
            ..Default::default()
        };
        let found = projects::list(&self.db, filter).await?.pop();
        found.map(|project| Scope::Project(project.id)).ok_or(Problem::Unauthorized)
    }

    /// Where a user who does not say is taken to: its default project, if it may be there.
    async fn default_scope(&self, user: &User) -> Result<Option<Scope>, Problem> {
        let Some(id) = &user.default_project_id else { return Ok(None) };
        let scope = Scope::Project(id.clone());
        Ok(self.enter(&user.id, &scope).await?.map(|_| scope))
    }
}

impl Proof {
    fn and(self, other: Self) -> Self {
        let methods = distinct([self.methods, other.methods].concat());
        let parent = self.parent.or(other.parent);
        Self { user: self.user, methods, ground: self.ground, parent }
    }
}

impl Reference {
    fn name_and_domain(self, target: &str) -> Result<(String, DomainReference), Problem> {
        let name = self.name.ok_or_else(|| Problem::missing("id or name", target))?;
        let domain = self.domain.ok_or_else(|| Problem::missing("domain", target))?;
        Ok((name, domain))
    }
}

/// What a method that is named was given.
fn take<T>(given: &mut Option<T>, method: &str) -> Result<T, Problem> {
    given.take().ok_or_else(|| Problem::missing(method, "identity"))
}

/// Without repetitions, in order.
fn distinct(methods: Vec<String>) -> Vec<String> {
    let mut seen = Vec::with_capacity(methods.len());
    for method in methods {
        if !seen.contains(&method) {
            seen.push(method);
        }
    }
    seen
}
