//! Tasks: the tables `tasks` and `task_info`.

mod lease;
mod list;
mod rows;

use crate::sql::dialect::{Connection, Transaction, query};
use async_trait::async_trait;
use image::{ImageId, Task, TaskId, TaskStatus, Timestamp};
use std::time::Duration;

use super::SqlCatalog;
use crate::{Ending, Lease, Renewed, Result, TaskQuery, Tasks};

pub(super) use lease::{Now, end};

#[async_trait]
impl Tasks for SqlCatalog {
    async fn create_task(&self, task: &Task) -> Result<()> {
        change!(self, db => async {
            insert(&mut db, task).await?;
            Ok(db.commit().await?)
        })
    }

    async fn task(&self, id: TaskId) -> Result<Task> {
        list::get(&mut self.db.acquire().await?, id).await
    }

    async fn list_tasks(&self, query: &TaskQuery) -> Result<Vec<Task>> {
        list::list(&mut *self.db.snapshot().await?, query).await
    }

    async fn image_tasks(&self, image: ImageId) -> Result<Vec<Task>> {
        list::of_image(&mut self.db.acquire().await?, image).await
    }

    async fn unfinished_tasks(&self) -> Result<Vec<Task>> {
        list::unfinished(&mut self.db.acquire().await?).await
    }

    async fn begin_by(&self, lease: &Lease, sign: Timestamp) -> Result<()> {
        change!(self, db => lease::begin(db, lease, sign))
    }

    async fn renew_by(&self, lease: &Lease, sign: Timestamp, message: &str) -> Result<Renewed> {
        change!(self, db => lease::renew(db, lease, sign, message))
    }

    async fn take_task_over(&self, seen: &Task) -> Result<Lease> {
        change!(self, db => lease::take_over(db, seen))
    }

    async fn end_task(&self, lease: &Lease, ending: &Ending, keep: Duration) -> Result<()> {
        change!(self, db => async {
            end(&mut db, lease, ending, Now::keeping(keep)).await?;
            Ok(db.commit().await?)
        })
    }

    async fn cancel_task(&self, id: TaskId) -> Result<TaskStatus> {
        change!(self, db => lease::cancel(db, id))
    }

    async fn expire_tasks(&self) -> Result<u64> {
        change!(self, db => expire(db))
    }
}

pub(super) async fn insert(db: &mut Connection, task: &Task) -> Result<()> {
    query(
        "INSERT INTO tasks (id, type, status, owner, expires_at, created_at, updated_at, deleted, \
         image_id, request_id, user_id) VALUES (?, ?, ?, ?, ?, ?, ?, FALSE, ?, ?, ?)",
    )
    .bind(task.id.to_string())
    .bind(task.kind.as_str())
    .bind(task.status.as_str())
    .bind(&task.owner)
    .bind(task.expires_at)
    .bind(task.created_at)
    .bind(task.updated_at)
    .bind(&task.image_id)
    .bind(&task.request_id)
    .bind(&task.user_id)
    .execute(&mut *db)
    .await?;
    query("INSERT INTO task_info (task_id, input, result, message) VALUES (?, ?, ?, ?)")
        .bind(task.id.to_string())
        .bind(task.input.to_string())
        .bind((!task.result.is_null()).then(|| task.result.to_string()))
        .bind(&task.message)
        .execute(db)
        .await?;
    Ok(())
}

async fn expire(mut db: Transaction) -> Result<u64> {
    let now = Timestamp::now();
    let expired = query(
        "UPDATE tasks SET deleted = TRUE, deleted_at = ? WHERE NOT deleted AND expires_at <= ?",
    )
    .bind(now)
    .bind(now)
    .execute(&mut db)
    .await?;
    db.commit().await?;
    Ok(expired)
}
