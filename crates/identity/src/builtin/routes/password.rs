//! `/v3/users/{id}/password`: users change their own.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;

use super::body::Body;
use super::users::{acceptable, store};
use crate::builtin::BuiltIn;
use crate::builtin::database::users;
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new().route("/v3/users/{id}/password", post(change))
}

#[derive(Deserialize)]
struct Change {
    user: Passwords,
}

#[derive(Deserialize)]
struct Passwords {
    password: String,
    original_password: String,
}

/// The old password is the proof; no token is asked for, as in Keystone.
async fn change(
    State(state): State<BuiltIn>,
    Path(id): Path<String>,
    Body(Change { user: given }): Body<Change>,
) -> Result<StatusCode, Problem> {
    let password = acceptable(given.password)?;
    let user = users::get(&state.db, &id).await?.filter(|user| user.enabled);
    let mut user = state.check_password(user, given.original_password).await?;
    user.password_hash = Some(state.passwords.hash(password).await?);
    store(&state, user, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn the_old_password_is_the_proof() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (token, user, _) = cloud.member(&admin).await;
        let path = format!("/v3/users/{user}/password");
        let change = async |old: &str, new: &str| {
            let body = json!({"user": {"original_password": old, "password": new}});
            cloud.post(&path, None, body).await.status
        };
        assert_eq!(change("wrong", "new").await, 401);
        assert_eq!(change("secret", "").await, 400);
        assert_eq!(cloud.get("/v3/auth/projects", Some(&token)).await.status, 200);
        assert_eq!(change("secret", "new").await, 204);
        assert_eq!(cloud.get("/v3/auth/projects", Some(&token)).await.status, 401);
        assert_eq!(cloud.login("demo", "secret", None).await.status, 401);
        assert_eq!(cloud.login("demo", "new", None).await.status, 201);
    }

    #[tokio::test]
    async fn a_user_that_is_not_there_is_no_other_answer() {
        let cloud = Cloud::new().await;
        let body = json!({"user": {"original_password": "old", "password": "new"}});
        let answer = cloud.post("/v3/users/missing/password", None, body).await;
        assert_eq!(answer.error(), (401, "The request you have made requires authentication."));
    }
}
