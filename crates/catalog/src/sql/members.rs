//! Members. A removed member's row stays, marked deleted, and is taken again when the project
//! becomes a member again, as in Glance.

use image::{ImageId, Member, MemberStatus, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use super::{records, time};
use crate::{Error, Result};

pub(super) async fn all(db: &mut SqliteConnection, id: ImageId) -> Result<Vec<Member>> {
    let rows = sqlx::query(
        "SELECT member, status, created_at, updated_at FROM image_members \
         WHERE image_id = ? AND NOT deleted ORDER BY created_at, id",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| member(id, row)).collect()
}

fn member(id: ImageId, row: &SqliteRow) -> Result<Member> {
    let corrupt = |what: String| Error::Corrupt { image: id.to_string(), what };
    let status: String = row.try_get("status")?;
    let created: String = row.try_get("created_at")?;
    let updated: Option<String> = row.try_get("updated_at")?;
    let instant = |text: &str| {
        time::from_text(text).ok_or_else(|| corrupt(format!("a member's time: '{text}'")))
    };
    Ok(Member {
        image_id: id,
        project: row.try_get("member")?,
        status: status.parse().map_err(|_| corrupt(format!("a member's status: '{status}'")))?,
        created_at: instant(&created)?,
        updated_at: instant(updated.as_deref().unwrap_or(&created))?,
    })
}

pub(super) async fn add(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    project: &str,
) -> Result<Member> {
    records::hold(&mut db, id).await?;
    if find(&mut db, id, project).await?.is_some() {
        return Err(Error::DuplicateMember { image: id, project: project.to_owned() });
    }
    let now = time::to_text(Timestamp::now());
    if !revive(&mut db, id, project, &now).await? {
        insert(&mut db, id, project, &now).await?;
    }
    finish(db, id, project).await
}

/// Takes the row of an earlier membership again, where there is one.
async fn revive(db: &mut SqliteConnection, id: ImageId, project: &str, now: &str) -> Result<bool> {
    let earlier: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM image_members WHERE image_id = ? AND member = ? AND deleted \
         ORDER BY id LIMIT 1",
    )
    .bind(id.to_string())
    .bind(project)
    .fetch_optional(&mut *db)
    .await?;
    let revived = sqlx::query(
        "UPDATE image_members SET status = 'pending', updated_at = ?, deleted_at = NULL, \
         deleted = FALSE WHERE id = ?",
    )
    .bind(now)
    .bind(earlier)
    .execute(db)
    .await?;
    Ok(revived.rows_affected() > 0)
}

async fn insert(db: &mut SqliteConnection, id: ImageId, project: &str, now: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO image_members (image_id, member, can_share, status, created_at, updated_at, \
         deleted) VALUES (?, ?, FALSE, 'pending', ?, ?, FALSE)",
    )
    .bind(id.to_string())
    .bind(project)
    .bind(now)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn answer(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    project: &str,
    status: MemberStatus,
) -> Result<Member> {
    sqlx::query(
        "UPDATE image_members SET status = ?, updated_at = ? \
         WHERE image_id = ? AND member = ? AND NOT deleted",
    )
    .bind(status.as_str())
    .bind(time::to_text(Timestamp::now()))
    .bind(id.to_string())
    .bind(project)
    .execute(&mut *db)
    .await?;
    finish(db, id, project).await
}

pub(super) async fn remove(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    project: &str,
) -> Result<()> {
    let now = time::to_text(Timestamp::now());
    let marked = sqlx::query(
        "UPDATE image_members SET deleted = TRUE, deleted_at = ?, updated_at = ? \
         WHERE image_id = ? AND member = ? AND NOT deleted",
    )
    .bind(&now)
    .bind(&now)
    .bind(id.to_string())
    .bind(project)
    .execute(&mut *db)
    .await?;
    if marked.rows_affected() == 0 {
        return Err(Error::MemberNotFound { image: id, project: project.to_owned() });
    }
    Ok(db.commit().await?)
}

async fn find(db: &mut SqliteConnection, id: ImageId, project: &str) -> Result<Option<Member>> {
    Ok(all(db, id).await?.into_iter().find(|member| member.project == project))
}

/// Commits, and returns the member as it is now.
async fn finish(mut db: Transaction<'_, Sqlite>, id: ImageId, project: &str) -> Result<Member> {
    let member = find(&mut db, id, project).await?;
    let missing = || Error::MemberNotFound { image: id, project: project.to_owned() };
    let member = member.ok_or_else(missing)?;
    db.commit().await?;
    Ok(member)
}
