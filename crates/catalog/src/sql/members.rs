//! Members. A removed member's row stays, marked deleted, and is taken again when the project
//! becomes a member again, as in Glance.

use super::dialect::{Connection, Row, Transaction, query};
use image::{ImageId, Member, MemberStatus, Timestamp};

use super::{readable, records};
use crate::{Error, Result};

pub(super) async fn all(db: &mut Connection, id: ImageId) -> Result<Vec<Member>> {
    let rows = query(
        "SELECT member, status, created_at, updated_at FROM image_members \
         WHERE image_id = ? AND NOT deleted ORDER BY created_at, id",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    Ok(readable::all(&rows, |row| member(id, row)))
}

fn member(id: ImageId, row: &Row) -> Result<Member> {
    let corrupt = |what: String| Error::Corrupt { image: id.to_string(), what };
    let status: String = row.try_get("status")?;
    let created_at = row.try_get("created_at")?;
    let updated: Option<Timestamp> = row.try_get("updated_at")?;
    Ok(Member {
        image_id: id,
        project: row.try_get("member")?,
        status: status.parse().map_err(|_| corrupt(format!("a member's status: '{status}'")))?,
        created_at,
        updated_at: updated.unwrap_or(created_at),
    })
}

pub(super) async fn add(mut db: Transaction, id: ImageId, project: &str) -> Result<Member> {
    records::hold(&mut db, id).await?;
    if find(&mut db, id, project).await?.is_some() {
        return Err(Error::DuplicateMember { image: id, project: project.to_owned() });
    }
    let now = Timestamp::now();
    if !revive(&mut db, id, project, now).await? {
        insert(&mut db, id, project, now).await?;
    }
    finish(db, id, project).await
}

/// Takes the row of an earlier membership again, where there is one.
async fn revive(db: &mut Connection, id: ImageId, project: &str, now: Timestamp) -> Result<bool> {
    let earlier: Option<i64> = query(
        "SELECT id FROM image_members WHERE image_id = ? AND member = ? AND deleted \
         ORDER BY id LIMIT 1",
    )
    .bind(id.to_string())
    .bind(project)
    .value(&mut *db)
    .await?;
    let revived = query(
        "UPDATE image_members SET status = 'pending', updated_at = ?, deleted_at = NULL, \
         deleted = FALSE WHERE id = ?",
    )
    .bind(now)
    .bind(earlier)
    .execute(db)
    .await?;
    Ok(revived > 0)
}

async fn insert(db: &mut Connection, id: ImageId, project: &str, now: Timestamp) -> Result<()> {
    query(
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
    mut db: Transaction,
    id: ImageId,
    project: &str,
    status: MemberStatus,
) -> Result<Member> {
    query(
        "UPDATE image_members SET status = ?, updated_at = ? \
         WHERE image_id = ? AND member = ? AND NOT deleted",
    )
    .bind(status.as_str())
    .bind(Timestamp::now())
    .bind(id.to_string())
    .bind(project)
    .execute(&mut db)
    .await?;
    finish(db, id, project).await
}

pub(super) async fn remove(mut db: Transaction, id: ImageId, project: &str) -> Result<()> {
    let now = Timestamp::now();
    let marked = query(
        "UPDATE image_members SET deleted = TRUE, deleted_at = ?, updated_at = ? \
         WHERE image_id = ? AND member = ? AND NOT deleted",
    )
    .bind(now)
    .bind(now)
    .bind(id.to_string())
    .bind(project)
    .execute(&mut db)
    .await?;
    if marked == 0 {
        return Err(Error::MemberNotFound { image: id, project: project.to_owned() });
    }
    Ok(db.commit().await?)
}

async fn find(db: &mut Connection, id: ImageId, project: &str) -> Result<Option<Member>> {
    Ok(all(db, id).await?.into_iter().find(|member| member.project == project))
}

/// Commits, and returns the member as it is now.
async fn finish(mut db: Transaction, id: ImageId, project: &str) -> Result<Member> {
    let member = find(&mut db, id, project).await?;
    let missing = || Error::MemberNotFound { image: id, project: project.to_owned() };
    let member = member.ok_or_else(missing)?;
    db.commit().await?;
    Ok(member)
}
