//! Reading tasks.

use crate::sql::dialect::{Connection, Query};
use image::{ImageId, Task, TaskId, TaskStatus, Timestamp};

use super::rows;
use crate::sql::readable;
use crate::{Direction, Error, Result, TaskColumn, TaskQuery};

pub(super) async fn get(db: &mut Connection, id: TaskId) -> Result<Task> {
    let mut query = whole();
    query.push(" AND tasks.id = ").push_bind(id.to_string());
    let row = query.fetch_optional(db).await?;
    rows::whole(&row.ok_or(Error::TaskNotFound(id))?)
}

pub(super) async fn of_image(db: &mut Connection, image: ImageId) -> Result<Vec<Task>> {
    let mut query = whole();
    query.push(" AND image_id = ").push_bind(image.to_string());
    query.push(" AND (expires_at IS NULL OR expires_at >= ");
    query.push_bind(Timestamp::now()).push(") ORDER BY created_at, id");
    Ok(readable::all(&query.fetch_all(db).await?, rows::whole))
}

pub(super) async fn unfinished(db: &mut Connection) -> Result<Vec<Task>> {
    let mut query = whole();
    query.push(" AND status IN (");
    let mut states = query.separated(", ");
    for status in TaskStatus::ALL.iter().filter(|status| !status.is_final()) {
        states.push_bind(status.as_str());
    }
    query.push(") ORDER BY created_at, id");
    Ok(readable::all(&query.fetch_all(db).await?, rows::whole))
}

/// All there is to know of tasks that are not deleted.
fn whole() -> Query {
    let mut query = Query::new("SELECT ");
    query.push(rows::COLUMNS).push(", ").push(rows::INFO);
    query.push(" FROM tasks LEFT JOIN task_info ON task_info.task_id = tasks.id");
    query.push(" WHERE NOT tasks.deleted");
    query
}

pub(super) async fn list(db: &mut Connection, wanted: &TaskQuery) -> Result<Vec<Task>> {
    let mut query = Query::new("SELECT ");
    query.push(rows::COLUMNS).push(" FROM tasks WHERE NOT deleted");
    if let Some(owner) = &wanted.owner {
        query.push(" AND owner = ").push_bind(owner.clone());
    }
    for (column, value) in &wanted.filters {
        query.push(" AND ").push(name(*column)).push(" = ").push_bind(value.clone());
    }
    let (column, direction) = wanted.order;
    if let Some(marker) = wanted.marker {
        behind(db, &mut query, column, direction, marker).await?;
    }
    let word = if direction == Direction::Ascending { "ASC" } else { "DESC" };
    query.push(format!(
        " ORDER BY {} {word}, created_at {word}, id {word} LIMIT ",
        comparable(column)
    ));
    query.push_bind(i64::from(wanted.limit));
    Ok(readable::all(&query.fetch_all(db).await?, rows::stub))
}

/// Only what comes behind the marker: all columns of the order point the same way.
async fn behind(
    db: &mut Connection,
    query: &mut Query,
    column: TaskColumn,
    direction: Direction,
    marker: TaskId,
) -> Result<()> {
    let mut place = Query::new("SELECT ");
    place.push(comparable(column)).push(" AS place, created_at FROM tasks WHERE id = ");
    place.push_bind(marker.to_string()).push(" AND NOT deleted");
    let row = place.fetch_optional(&mut *db).await?;
    let row = row.ok_or(Error::TaskNotFound(marker))?;
    query.push(" AND (").push(comparable(column)).push(", created_at, id) ");
    query.push(if direction == Direction::Ascending { "> (" } else { "< (" });
    match column {
        TaskColumn::CreatedAt | TaskColumn::UpdatedAt | TaskColumn::ExpiresAt => {
            query.push_bind(row.try_get::<Timestamp>("place")?)
        }
        _ => query.push_bind(row.try_get::<String>("place")?),
    };
    query.push(", ");
    query.push_bind(row.try_get::<Timestamp>("created_at")?).push(", ");
    query.push_bind(marker.to_string()).push(")");
    Ok(())
}

fn name(column: TaskColumn) -> &'static str {
    match column {
        TaskColumn::Id => "id",
        TaskColumn::Kind => "type",
        TaskColumn::Status => "status",
        TaskColumn::Owner => "owner",
        TaskColumn::ImageId => "image_id",
        TaskColumn::UserId => "user_id",
        TaskColumn::RequestId => "request_id",
        TaskColumn::CreatedAt => "created_at",
        TaskColumn::UpdatedAt => "updated_at",
        TaskColumn::ExpiresAt => "expires_at",
    }
}

/// The column as something that is never null.
fn comparable(column: TaskColumn) -> String {
    let name = name(column);
    match column {
        TaskColumn::ExpiresAt | TaskColumn::UpdatedAt => format!("COALESCE({name}, {{never}})"),
        TaskColumn::ImageId | TaskColumn::UserId | TaskColumn::RequestId => {
            format!("COALESCE({name}, '')")
        }
        _ => name.to_owned(),
    }
}
