//! The order of a list, and where its next page begins (keyset pagination).

use image::Image;
use sqlx::{QueryBuilder, Sqlite};

use super::time;
use crate::{Direction, ListQuery, Order, SortKey};

/// A value that rows are compared with.
enum Value {
    Text(String),
    Number(i64),
}

/// The keys that were asked for, then `created_at` and `id`, so that no two images are equal.
pub(super) fn complete(list: &ListQuery) -> Vec<Order> {
    let mut order = list.order.clone();
    for key in [SortKey::CreatedAt, SortKey::Id] {
        if !order.iter().any(|known| known.key == key) {
            order.push(Order { key, direction: Direction::Descending });
        }
    }
    order
}

/// Adds `ORDER BY`.
pub(super) fn add(query: &mut QueryBuilder<Sqlite>, order: &[Order]) {
    query.push(" ORDER BY ");
    let mut keys = query.separated(", ");
    for Order { key, direction } in order {
        keys.push(column(*key)).push_unseparated(match direction {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        });
    }
}

/// Adds the condition that a row comes after `marker`: it is beyond it by the first key, or equal
/// by that and beyond by the second, and so on.
pub(super) fn after(query: &mut QueryBuilder<Sqlite>, order: &[Order], marker: &Image) {
    query.push(" AND (");
    for (place, last) in order.iter().enumerate() {
        query.push(if place == 0 { "(" } else { " OR (" });
        for equal in &order[..place] {
            query.push(column(equal.key)).push(" = ");
            bind(query, value(equal.key, marker));
            query.push(" AND ");
        }
        query.push(column(last.key)).push(match last.direction {
            Direction::Ascending => " > ",
            Direction::Descending => " < ",
        });
        bind(query, value(last.key, marker));
        query.push(")");
    }
    query.push(")");
}

/// What rows are compared by. Nulls stand before all values, on every database.
fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Name => "COALESCE(images.name, '')",
        SortKey::Status => "images.status",
        SortKey::ContainerFormat => "COALESCE(images.container_format, '')",
        SortKey::DiskFormat => "COALESCE(images.disk_format, '')",
        SortKey::Size => "COALESCE(images.size, -1)",
        SortKey::Id => "images.id",
        SortKey::CreatedAt => "images.created_at",
        SortKey::UpdatedAt => "images.updated_at",
    }
}

fn value(key: SortKey, marker: &Image) -> Value {
    let word = |word: Option<&str>| Value::Text(word.unwrap_or_default().to_owned());
    match key {
        SortKey::Name => word(marker.name.as_deref()),
        SortKey::Status => word(Some(marker.status.as_str())),
        SortKey::ContainerFormat => word(marker.container_format.map(|f| f.as_str())),
        SortKey::DiskFormat => word(marker.disk_format.map(|f| f.as_str())),
        SortKey::Size => {
            Value::Number(marker.size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX)))
        }
        SortKey::Id => Value::Text(marker.id.to_string()),
        SortKey::CreatedAt => Value::Text(time::to_text(marker.created_at)),
        SortKey::UpdatedAt => Value::Text(time::to_text(marker.updated_at)),
    }
}

fn bind(query: &mut QueryBuilder<Sqlite>, value: Value) {
    match value {
        Value::Text(text) => query.push_bind(text),
        Value::Number(number) => query.push_bind(number),
    };
}
