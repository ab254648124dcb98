//! Tasks: the tables `tasks` and `task_info`.

mod lease;
mod list;
mod rows;

use async_trait::async_trait;
use image::{ImageId, Task, TaskId, TaskStatus, Timestamp};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use std::time::Duration;

use super::{SqlCatalog, time};
use crate::{Ending, Lease, Renewed, Result, TaskQuery, Tasks};

pub(super) use lease::{Now, end};

#[async_trait]
impl Tasks for SqlCatalog {
    async fn create_task(&self, task: &Task) -> Result<()> {
        let mut db = self.begin().await?;
        insert(&mut db, task).await?;
        Ok(db.commit().await?)
    }

    async fn task(&self, id: TaskId) -> Result<Task> {
        list::get(&mut *self.readers.acquire().await?, id).await
    }

    async fn list_tasks(&self, query: &TaskQuery) -> Result<Vec<Task>> {
        list::list(&mut *self.readers.begin().await?, query).await
    }

    async fn image_tasks(&self, image: ImageId) -> Result<Vec<Task>> {
        list::of_image(&mut *self.readers.acquire().await?, image).await
    }

    async fn unfinished_tasks(&self) -> Result<Vec<Task>> {
        list::unfinished(&mut *self.readers.acquire().await?).await
    }

    async fn begin_task(&self, lease: &mut Lease) -> Result<()> {
        lease::begin(&mut *self.writer.acquire().await?, lease).await
    }

    async fn renew_task(&self, lease: &mut Lease, message: &str) -> Result<Renewed> {
        lease::renew(self.begin().await?, lease, message).await
    }

    async fn take_task_over(&self, seen: &Task) -> Result<Lease> {
        lease::take_over(&mut *self.writer.acquire().await?, seen).await
    }

    async fn end_task(&self, lease: &Lease, ending: &Ending, keep: Duration) -> Result<()> {
        let mut db = self.begin().await?;
        end(&mut db, lease, ending, Now::keeping(keep)).await?;
        Ok(db.commit().await?)
    }

    async fn cancel_task(&self, id: TaskId) -> Result<TaskStatus> {
        lease::cancel(self.begin().await?, id).await
    }

    async fn expire_tasks(&self) -> Result<u64> {
        expire(self.begin().await?).await
    }
}

pub(super) async fn insert(db: &mut SqliteConnection, task: &Task) -> Result<()> {
    sqlx::query(
        "INSERT INTO tasks (id, type, status, owner, expires_at, created_at, updated_at, deleted, \
         image_id, request_id, user_id) VALUES (?, ?, ?, ?, ?, ?, ?, FALSE, ?, ?, ?)",
    )
    .bind(task.id.to_string())
    .bind(task.kind.as_str())
    .bind(task.status.as_str())
    .bind(&task.owner)
    .bind(task.expires_at.map(time::to_text))
    .bind(time::to_text(task.created_at))
    .bind(time::to_text(task.updated_at))
    .bind(&task.image_id)
    .bind(&task.request_id)
    .bind(&task.user_id)
    .execute(&mut *db)
    .await?;
    sqlx::query("INSERT INTO task_info (task_id, input, result, message) VALUES (?, ?, ?, ?)")
        .bind(task.id.to_string())
        .bind(task.input.to_string())
        .bind((!task.result.is_null()).then(|| task.result.to_string()))
        .bind(&task.message)
        .execute(db)
        .await?;
    Ok(())
}

async fn expire(mut db: Transaction<'_, Sqlite>) -> Result<u64> {
    let now = time::to_text(Timestamp::now());
    let expired = sqlx::query(
        "UPDATE tasks SET deleted = TRUE, deleted_at = ? WHERE NOT deleted AND expires_at <= ?",
    )
    .bind(&now)
    .bind(&now)
    .execute(&mut *db)
    .await?;
    db.commit().await?;
    Ok(expired.rows_affected())
}
