//! Who works on a task: each statement names the sign of life that it expects to find.

use crate::sql::dialect::{Connection, Transaction, query};
use std::time::Duration;

use image::{TaskId, TaskStatus, Timestamp};
use serde_json::Value;

use super::list;
use crate::tasks::sign_of_life;
use crate::{Ending, Error, LOCK, Lease, Renewed, Result};

/// The message of a task that somebody wants to end.
const CANCELLING: &str = "Cancellation was requested";

pub(super) async fn begin(mut db: Transaction, lease: &Lease, sign: Timestamp) -> Result<()> {
    let begun = match lease.unheard {
        Some(_) => TaskStatus::Processing,
        None => TaskStatus::Pending,
    };
    let [known, unheard] = lease.signs();
    let held = query(
        "UPDATE tasks SET status = 'processing', updated_at = ? WHERE id = ? \
         AND status IN ('pending', ?) AND updated_at IN (?, ?) AND NOT deleted",
    )
    .bind(sign)
    .bind(lease.task.to_string())
    .bind(begun.as_str())
    .bind(known)
    .bind(unheard)
    .execute(&mut db)
    .await?;
    expect_held(held, lease.task)?;
    Ok(db.commit().await?)
}

pub(super) async fn renew(
    mut db: Transaction,
    lease: &Lease,
    sign: Timestamp,
    message: &str,
) -> Result<Renewed> {
    let [known, unheard] = lease.signs();
    let held = query(
        "UPDATE tasks SET updated_at = ? WHERE id = ? AND status IN ('pending', 'processing') \
         AND updated_at IN (?, ?) AND NOT deleted",
    )
    .bind(sign)
    .bind(lease.task.to_string())
    .bind(known)
    .bind(unheard)
    .execute(&mut db)
    .await?;
    expect_held(held, lease.task)?;
    expect_lock(&mut db, lease.task).await?;
    let known: Option<String> = query("SELECT message FROM task_info WHERE task_id = ?")
        .bind(lease.task.to_string())
        .value(&mut db)
        .await?
        .flatten();
    let cancelled = known.as_deref() == Some(CANCELLING);
    if !cancelled {
        say(&mut db, lease.task, message).await?;
    }
    db.commit().await?;
    Ok(if cancelled { Renewed::Cancelled } else { Renewed::Held })
}

/// The image that the task is about, if there is one and it is locked, is locked by this task: a
/// service that took the lock for stale has given it to another.
async fn expect_lock(db: &mut Connection, task: TaskId) -> Result<()> {
    let others: i64 = query(
        "SELECT COUNT(*) FROM tasks JOIN image_properties AS p ON p.image_id = tasks.image_id \
         WHERE tasks.id = ? AND p.name = ? AND p.value <> tasks.id AND NOT p.deleted",
    )
    .bind(task.to_string())
    .bind(LOCK)
    .only(db)
    .await?;
    if others == 0 { Ok(()) } else { Err(Error::LeaseLost(task)) }
}

pub(super) async fn take_over(mut db: Transaction, seen: &image::Task) -> Result<Lease> {
    let sign = sign_of_life();
    let taken = query(
        "UPDATE tasks SET status = 'processing', updated_at = ? \
         WHERE id = ? AND status = ? AND updated_at = ? AND NOT deleted",
    )
    .bind(sign)
    .bind(seen.id.to_string())
    .bind(seen.status.as_str())
    .bind(seen.updated_at)
    .execute(&mut db)
    .await?;
    expect_held(taken, seen.id)?;
    db.commit().await?;
    Ok(Lease::renewed(seen.id, sign))
}

/// The times that the end of a task writes.
#[derive(Debug, Clone, Copy)]
pub(in crate::sql) struct Now {
    pub(in crate::sql) now: Timestamp,
    expires_at: Timestamp,
}

impl Now {
    /// Now, for a task that is deleted after `keep`.
    pub(in crate::sql) fn keeping(keep: Duration) -> Self {
        let now = Timestamp::now();
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let expires_at = Timestamp::from_microsecond(now.as_microsecond().saturating_add(keep));
        Self { now, expires_at }
    }
}

pub(in crate::sql) async fn end(
    db: &mut Connection,
    lease: &Lease,
    ending: &Ending,
    Now { now, expires_at }: Now,
) -> Result<()> {
    let status = match ending {
        Ending::Success(_) => TaskStatus::Success,
        Ending::Failure(_) => TaskStatus::Failure,
    };
    let [known, unheard] = lease.signs();
    let ended = query(
        "UPDATE tasks SET status = ?, updated_at = ?, expires_at = ? WHERE id = ? \
         AND status IN ('pending', 'processing') AND updated_at IN (?, ?) AND NOT deleted",
    )
    .bind(status.as_str())
    .bind(now)
    .bind(expires_at)
    .bind(lease.task.to_string())
    .bind(known)
    .bind(unheard)
    .execute(&mut *db)
    .await?;
    expect_held(ended, lease.task)?;
    match ending {
        Ending::Success(result) => bring(db, lease.task, result).await,
        Ending::Failure(why) => say(db, lease.task, why).await,
    }
}

pub(super) async fn cancel(mut db: Transaction, id: TaskId) -> Result<TaskStatus> {
    let task = list::get(&mut db, id).await?;
    if !task.status.is_final() {
        say(&mut db, id, CANCELLING).await?;
    }
    db.commit().await?;
    Ok(task.status)
}

/// A task ends whatever is in its message, which may repeat others' words: characters that not every
/// database has room for are left out.
async fn say(db: &mut Connection, id: TaskId, message: &str) -> Result<()> {
    let is_odd = |letter: char| letter == '\0' || letter > '\u{ffff}';
    query("UPDATE task_info SET message = ? WHERE task_id = ?")
        .bind(message.replace(is_odd, "\u{fffd}"))
        .bind(id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

async fn bring(db: &mut Connection, id: TaskId, result: &Value) -> Result<()> {
    query("UPDATE task_info SET result = ? WHERE task_id = ?")
        .bind(result.to_string())
        .bind(id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

fn expect_held(rows: u64, task: TaskId) -> Result<()> {
    if rows == 0 { Err(Error::LeaseLost(task)) } else { Ok(()) }
}
