//! Issued tokens, by their digests.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use super::assignments::Scope;
use super::json;
use crate::digest::Digest;

/// What is stored of a token: all but the token itself.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) user_id: String,
    pub(crate) scope: Option<Scope>,
    pub(crate) methods: Vec<String>,
    /// Its own, then the one of the token it was made from, if any.
    pub(crate) audit_ids: Vec<String>,
    /// Seconds since 1970.
    pub(crate) issued_at: i64,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

/// What a new token rests on. It must still hold at the moment when the token is stored: a change
/// of password or a revocation at the same time wins.
#[derive(Debug, Clone)]
pub(crate) enum Ground {
    /// The user's password, by its hash.
    Password { hash: String },
    /// Another token.
    Token(Digest),
}

/// Whether it was stored: the user is enabled and the ground holds.
pub(crate) async fn insert(
    db: impl SqliteExecutor<'_>,
    digest: &Digest,
    issued: &Issued,
    ground: &Ground,
) -> sqlx::Result<bool> {
    let scope = issued.scope.as_ref();
    let (hash, parent) = match ground {
        Ground::Password { hash } => (Some(hash), None),
        Ground::Token(digest) => (None, Some(digest.as_bytes())),
    };
    let done = sqlx::query(
        "INSERT INTO tokens
         (digest, user_id, project_id, domain_id, methods, audit_ids, issued_at, expires_at)
         SELECT ?, users.id, ?, ?, ?, ?, ?, ? FROM users
         WHERE users.id = ? AND enabled
           AND (password_hash = ? OR EXISTS (SELECT 1 FROM tokens WHERE digest = ?))",
    )
    .bind(digest.as_bytes())
    .bind(scope.and_then(Scope::project))
    .bind(scope.and_then(Scope::domain))
    .bind(json::to_text(&issued.methods)?)
    .bind(json::to_text(&issued.audit_ids)?)
    .bind(issued.issued_at)
    .bind(issued.expires_at)
    .bind(&issued.user_id)
    .bind(hash)
    .bind(parent)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn get(
    db: impl SqliteExecutor<'_>,
    digest: &Digest,
) -> sqlx::Result<Option<Issued>> {
    sqlx::query("SELECT * FROM tokens WHERE digest = ?")
        .bind(digest.as_bytes())
        .try_map(read)
        .fetch_optional(db)
        .await
}

pub(crate) async fn delete(db: impl SqliteExecutor<'_>, digest: &Digest) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tokens WHERE digest = ?")
        .bind(digest.as_bytes())
        .execute(db)
        .await
        .map(drop)
}

/// Those whose life ended at `now` or before, in seconds since 1970.
pub(crate) async fn delete_expired(db: impl SqliteExecutor<'_>, now: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tokens WHERE expires_at <= ?").bind(now).execute(db).await.map(drop)
}

pub(crate) async fn delete_of_user(db: impl SqliteExecutor<'_>, user_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tokens WHERE user_id = ?").bind(user_id).execute(db).await.map(drop)
}

pub(crate) async fn delete_of_project(
    db: impl SqliteExecutor<'_>,
    project_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tokens WHERE project_id = ?")
        .bind(project_id)
        .execute(db)
        .await
        .map(drop)
}

/// Those of its projects and users as well as its own.
pub(crate) async fn delete_of_domain(
    db: impl SqliteExecutor<'_>,
    domain_id: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM tokens WHERE domain_id = ?1
         OR user_id IN (SELECT id FROM users WHERE domain_id = ?1)
         OR project_id IN (SELECT id FROM projects WHERE domain_id = ?1)",
    )
    .bind(domain_id)
    .execute(db)
    .await
    .map(drop)
}

fn read(row: SqliteRow) -> sqlx::Result<Issued> {
    let (project, domain): (Option<String>, Option<String>) =
        (row.try_get("project_id")?, row.try_get("domain_id")?);
    Ok(Issued {
        user_id: row.try_get("user_id")?,
        scope: project.map(Scope::Project).or(domain.map(Scope::Domain)),
        methods: json::from_text(row.try_get("methods")?)?,
        audit_ids: json::from_text(row.try_get("audit_ids")?)?,
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::database::users::{self, Filter};
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_token_is_stored_only_while_its_ground_holds() {
        let cloud = Cloud::new().await;
        let db = &cloud.identity.db;
        let mut user = users::list(db, Filter::default()).await.unwrap().remove(0);
        let issued = Issued {
            user_id: user.id.clone(),
            scope: None,
            methods: vec![],
            audit_ids: vec![],
            issued_at: 0,
            expires_at: i64::MAX,
        };
        let (first, second) = (Digest::of("first"), Digest::of("second"));
        let password = Ground::Password { hash: user.password_hash.clone().unwrap() };
        let store = async |digest: &Digest, ground: &Ground| {
            insert(db, digest, &issued, ground).await.unwrap()
        };
        assert!(store(&first, &password).await);
        assert!(store(&second, &Ground::Token(first)).await);
        delete(db, &first).await.unwrap();
        assert!(!store(&Digest::of("third"), &Ground::Token(first)).await);

        user.password_hash = Some("another".to_owned());
        users::update(db, &user).await.unwrap();
        assert!(!store(&Digest::of("fourth"), &password).await);
        user.enabled = false;
        users::update(db, &user).await.unwrap();
        assert!(!store(&Digest::of("fifth"), &Ground::Token(second)).await);
    }
}
