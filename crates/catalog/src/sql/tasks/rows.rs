//! Rows become tasks. What no service should have written is `Corrupt`.

use crate::sql::dialect::Row;
use std::str::FromStr;

use image::{Task, Timestamp};
use serde_json::Value;

use crate::{Error, Result};

/// What a list shows of a task.
pub(super) const COLUMNS: &str = "tasks.id, tasks.type, tasks.status, tasks.owner, \
    tasks.expires_at, tasks.created_at, tasks.updated_at, tasks.image_id, tasks.request_id, \
    tasks.user_id";

/// What else there is to know.
pub(super) const INFO: &str = "task_info.input, task_info.result, task_info.message";

/// The task of a row with [`COLUMNS`].
pub(super) fn stub(row: &Row) -> Result<Task> {
    let id: &str = row.try_get("id")?;
    let corrupt = |column: &str| Error::Corrupt {
        image: format!("task {id}"),
        what: format!("{column} is not what a service writes"),
    };
    let word = |column: &'static str| -> Result<&str> { Ok(row.try_get(column)?) };
    let time = |column: &'static str| -> Result<Option<Timestamp>> {
        row.try_get(column).map_err(|_| corrupt(column))
    };
    fn parsed<T: FromStr>(text: &str) -> Option<T> {
        text.parse().ok()
    }
    let created_at = time("created_at")?.ok_or_else(|| corrupt("created_at"))?;
    Ok(Task {
        id: parsed(id).ok_or_else(|| corrupt("id"))?,
        kind: parsed(word("type")?).ok_or_else(|| corrupt("type"))?,
        status: parsed(word("status")?).ok_or_else(|| corrupt("status"))?,
        owner: row.try_get("owner")?,
        image_id: row.try_get("image_id")?,
        user_id: row.try_get("user_id")?,
        request_id: row.try_get("request_id")?,
        input: Value::Null,
        result: Value::Null,
        message: String::new(),
        expires_at: time("expires_at")?,
        created_at,
        updated_at: time("updated_at")?.unwrap_or(created_at),
    })
}

/// The task of a row with [`COLUMNS`] and [`INFO`].
pub(super) fn whole(row: &Row) -> Result<Task> {
    let json = |column: &'static str| -> Result<Value> {
        let text: Option<&str> = row.try_get(column)?;
        Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null))
    };
    Ok(Task {
        input: json("input")?,
        result: json("result")?,
        message: row.try_get::<Option<String>>("message")?.unwrap_or_default(),
        ..stub(row)?
    })
}
