//! What the first start makes.

use std::path::Path;

use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::database::assignments::{self, Assignment, Scope};
use super::database::domains::{self, DEFAULT_ID, Domain};
use super::database::projects::{self, Project};
use super::database::roles::{self, Role};
use super::database::users::{self, User};
use super::endpoints::Endpoints;
use super::password::Passwords;
use super::secret::Secret;
use super::{OpenError, clouds};

/// The name of the first user and of its project.
const ADMIN: &str = "admin";

/// Each implies the next, as Keystone's bootstrap has it.
const ROLES: [&str; 4] = ["admin", "manager", "member", "reader"];

/// Makes the default domain, the roles and an administrator, unless they exist.
///
/// `clouds.yaml` is written before the database says that all is done: a start that was cut short
/// is done again, with another password.
pub(crate) async fn first_start(
    db: &SqlitePool,
    state_dir: &Path,
    endpoints: &Endpoints,
    passwords: &Passwords,
) -> Result<(), OpenError> {
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
    if domains::get(&mut *transaction, DEFAULT_ID).await?.is_some() {
        return clouds::point_at(state_dir, endpoints);
    }
    let password = Secret::random()?;
    let hash = passwords.hash(password.reveal().to_owned()).await?;
    fill(&mut transaction, hash).await?;
    clouds::write(state_dir, endpoints, ADMIN, ADMIN, &password)?;
    Ok(transaction.commit().await?)
}

async fn fill(db: &mut SqliteConnection, password_hash: String) -> sqlx::Result<()> {
    domains::insert(&mut *db, &default_domain()).await?;
    let project = admin_project();
    projects::insert(&mut *db, &project).await?;
    let user = admin_user(&project, password_hash);
    users::insert(&mut *db, &user).await?;
    let role_id = make_roles(&mut *db).await?;
    let assignment = Assignment { user_id: user.id, scope: Scope::Project(project.id), role_id };
    assignments::insert(&mut *db, &assignment).await
}

/// The id of the administrator's.
async fn make_roles(db: &mut SqliteConnection) -> sqlx::Result<String> {
    let made = ROLES.map(|name| Role { id: new_id(), name: name.to_owned(), description: None });
    for role in &made {
        roles::insert(&mut *db, role).await?;
    }
    for pair in made.windows(2) {
        roles::imply(&mut *db, &pair[0], &pair[1]).await?;
    }
    let [admin, ..] = made;
    Ok(admin.id)
}

fn default_domain() -> Domain {
    Domain {
        id: DEFAULT_ID.to_owned(),
        name: "Default".to_owned(),
        description: "The default domain".to_owned(),
        enabled: true,
    }
}

fn admin_project() -> Project {
    Project {
        id: new_id(),
        domain_id: DEFAULT_ID.to_owned(),
        name: ADMIN.to_owned(),
        description: "Bootstrap project for initializing the cloud.".to_owned(),
        enabled: true,
        tags: vec![],
        extra: Default::default(),
    }
}

fn admin_user(project: &Project, password_hash: String) -> User {
    User {
        id: new_id(),
        domain_id: DEFAULT_ID.to_owned(),
        name: ADMIN.to_owned(),
        enabled: true,
        default_project_id: Some(project.id.clone()),
        password_hash: Some(password_hash),
        extra: Default::default(),
    }
}

/// 32 hexadecimal digits, as Keystone's.
pub(crate) fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}
