//! The query string of `GET /v2/tasks`, and the page that answers it.

use catalog::{Direction, TaskColumn, TaskQuery};
use identity::Caller;
use image::{Task, TaskStatus};
use serde_json::{Value, json};

use crate::error::{ApiError, Result};
use crate::limits::Limits;
use crate::listing::Parameters;
use crate::task_view;

/// What a list may be ordered by, and filtered on.
const COLUMNS: &[(&str, TaskColumn)] = &[
    ("id", TaskColumn::Id),
    ("type", TaskColumn::Kind),
    ("status", TaskColumn::Status),
    ("owner", TaskColumn::Owner),
    ("image_id", TaskColumn::ImageId),
    ("user_id", TaskColumn::UserId),
    ("request_id", TaskColumn::RequestId),
    ("created_at", TaskColumn::CreatedAt),
    ("updated_at", TaskColumn::UpdatedAt),
    ("expires_at", TaskColumn::ExpiresAt),
];

/// The list that the parameters ask for. Filters that are none are ignored, as in Glance.
pub(crate) fn parse(
    parameters: &Parameters,
    caller: &Caller,
    limits: &Limits,
) -> Result<TaskQuery> {
    let project = caller.project_id.clone().filter(|_| !caller.is_admin);
    let mut query = TaskQuery {
        owner: project,
        filters: Vec::new(),
        order: (TaskColumn::CreatedAt, Direction::Descending),
        marker: None,
        limit: limits.page,
    };
    for (name, value) in parameters {
        match name.as_str() {
            "limit" => query.limit = limit(value)?.min(limits.page_max),
            "marker" => {
                let marker = value.parse();
                query.marker =
                    Some(marker.map_err(|_| ApiError::bad_request("Invalid marker format"))?);
            }
            "sort_key" => query.order.0 = sort_key(value)?,
            "sort_dir" => query.order.1 = direction(value)?,
            name => query.filters.extend(filter(name, value)?),
        }
    }
    Ok(query)
}

fn limit(text: &str) -> Result<u32> {
    let number: i64 =
        text.parse().map_err(|_| ApiError::bad_request("limit param must be an integer"))?;
    u32::try_from(number).or_else(|_| match number {
        ..0 => Err(ApiError::bad_request("limit param must be positive")),
        _ => Ok(u32::MAX),
    })
}

fn column(name: &str) -> Option<TaskColumn> {
    COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
}

fn sort_key(name: &str) -> Result<TaskColumn> {
    column(name).ok_or_else(|| ApiError::bad_request("Sort key supplied was not valid."))
}

fn direction(text: &str) -> Result<Direction> {
    match text {
        "asc" => Ok(Direction::Ascending),
        "desc" => Ok(Direction::Descending),
        _ => Err(ApiError::bad_request(format!("Invalid sort direction: {text}"))),
    }
}

fn filter(name: &str, value: &str) -> Result<Option<(TaskColumn, String)>> {
    match name {
        "status" if value.parse::<TaskStatus>().is_err() => {
            Err(ApiError::bad_request(format!("Invalid status value: {value}")))
        }
        // Glance knows the other types, and lists them, but not by this filter.
        "type" if value != "import" => {
            Err(ApiError::bad_request(format!("Invalid type value: {value}")))
        }
        name => Ok(column(name).map(|column| (column, value.to_owned()))),
    }
}

/// The answer to a list. A full page names the next one; it may turn out to be empty.
pub(crate) fn page(tasks: &[Task], limit: u32, parameters: &Parameters) -> Value {
    let shown: Vec<_> = tasks.iter().map(task_view::stub).collect();
    let others = parameters.iter().filter(|(name, _)| name != "marker");
    let mut page = json!({
        "tasks": shown,
        "first": url(others.clone()),
        "schema": "/v2/schemas/tasks",
    });
    if let Some(last) = tasks.last().filter(|_| tasks.len() == limit as usize) {
        let marker = ("marker".to_owned(), last.id.to_string());
        page["next"] = url(others.chain([&marker])).into();
    }
    page
}

fn url<'a>(parameters: impl Iterator<Item = &'a (String, String)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    if query.is_empty() { "/v2/tasks".to_owned() } else { format!("/v2/tasks?{query}") }
}

#[cfg(test)]
mod tests {
    use identity::{Authenticator, NoAuth};
    use image::{TaskType, Timestamp};

    use super::*;
    use crate::listing::parameters;

    async fn query(text: &str) -> Result<TaskQuery> {
        let caller = NoAuth::new("p").authenticate("").await.unwrap();
        parse(&parameters(Some(text)), &caller, &Limits::default())
    }

    #[tokio::test]
    async fn a_query_string_becomes_filters_order_and_page() {
        let query =
            query("status=success&foo=bar&sort_key=status&sort_dir=asc&limit=7").await.unwrap();
        assert_eq!(query.filters, [(TaskColumn::Status, "success".to_owned())]);
        assert_eq!(query.order, (TaskColumn::Status, Direction::Ascending));
        assert_eq!((query.limit, query.owner), (7, None));
    }

    #[tokio::test]
    async fn nonsense_is_refused_in_glances_words() {
        let cases = [
            ("limit=-1", "limit param must be positive"),
            ("limit=x", "limit param must be an integer"),
            ("marker=nonsense", "Invalid marker format"),
            ("sort_key=foo", "Sort key supplied was not valid."),
            ("sort_dir=up", "Invalid sort direction: up"),
            ("status=foo", "Invalid status value: foo"),
            ("type=export", "Invalid type value: export"),
        ];
        for (text, message) in cases {
            assert_eq!(query(text).await.unwrap_err().message, message, "{text}");
        }
    }

    #[test]
    fn a_full_page_names_the_next() {
        let task = Task::new(TaskType::Import, "p".into(), json!({}), Timestamp::now());
        let asked = parameters(Some("marker=x&limit=1"));
        let page = super::page(std::slice::from_ref(&task), 1, &asked);
        assert_eq!(page["first"], "/v2/tasks?limit=1");
        assert_eq!(page["next"], format!("/v2/tasks?limit=1&marker={}", task.id));
        assert!(super::page(&[], 1, &asked).get("next").is_none());
    }
}
