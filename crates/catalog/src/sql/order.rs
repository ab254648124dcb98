//! The order of a list, and where its next page begins (keyset pagination). Nulls stand before all
//! values, as SQLite and MySQL sort them.

use image::Timestamp;

use super::dialect::{Query, Row};
use crate::{Direction, ListQuery, Order, Result, SortKey};

/// How the rows of a list are brought into order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Along an index of the first key, until the page is full.
    Walk,
    /// All that match are found first.
    Sort,
}

/// A value that rows are compared with.
enum Value {
    Null,
    Text(String),
    Number(i64),
    Time(Timestamp),
}

/// A row's values of the keys that a list is ordered by.
pub(super) struct Place(Vec<Value>);

/// The keys that were asked for, then `created_at` and `id`, so that no two images are equal. They
/// go the way of the only key that was asked for, else downwards: as in Glance's `_image_get_all`.
pub(super) fn complete(list: &ListQuery) -> Vec<Order> {
    let mut order = list.order.clone();
    let direction = match list.order.as_slice() {
        [only] => only.direction,
        _ => Direction::Descending,
    };
    for key in [SortKey::CreatedAt, SortKey::Id] {
        if !order.iter().any(|known| known.key == key) {
            order.push(Order { key, direction });
        }
    }
    order
}

/// Adds the columns of the keys.
pub(super) fn columns(query: &mut Query, order: &[Order]) {
    let mut keys = query.separated(", ");
    for Order { key, .. } in order {
        keys.push(column(*key));
    }
}

/// Adds `ORDER BY`.
pub(super) fn add(query: &mut Query, order: &[Order], plan: Plan) {
    query.push(" ORDER BY ");
    let mut keys = query.separated(", ");
    for Order { key, direction } in order {
        match plan {
            Plan::Walk => keys.push(column(*key)),
            Plan::Sort => keys.push("{unindexed}").push_unseparated(column(*key)),
        };
        keys.push_unseparated(match (direction, is_nullable(*key)) {
            (Direction::Ascending, false) => " ASC",
            (Direction::Descending, false) => " DESC",
            (Direction::Ascending, true) => "{asc}",
            (Direction::Descending, true) => "{desc}",
        });
    }
}

/// Adds the beginning of a query for the value of this key that is the farthest from the start of
/// the order.
pub(super) fn farthest(query: &mut Query, order: Order) {
    query.push(match order.direction {
        Direction::Ascending => "(SELECT MAX(edge) AS edge FROM (SELECT ",
        Direction::Descending => "(SELECT MIN(edge) AS edge FROM (SELECT ",
    });
    query.push(column(order.key)).push(" AS edge");
}

/// Adds the condition that a row is not beyond that value. Nulls are nowhere beyond: they come first,
/// or where they come last, are as few as there are.
pub(super) fn within_edge(query: &mut Query, order: Order) {
    let column = column(order.key);
    query.push("(").push(column).push(match order.direction {
        Direction::Ascending => " <= brink.edge",
        Direction::Descending => " >= brink.edge",
    });
    if is_nullable(order.key) {
        query.push(" OR ").push(column).push(" IS NULL");
    }
    query.push(") AND ");
}

/// Whether the schema lets the column be null.
fn is_nullable(key: SortKey) -> bool {
    !matches!(key, SortKey::Status | SortKey::Id | SortKey::CreatedAt)
}

impl Place {
    /// Where this row stands.
    pub(super) fn of(row: &Row, order: &[Order]) -> Result<Self> {
        order.iter().map(|order| Value::read(row, order.key)).collect::<Result<_>>().map(Self)
    }

    /// Adds the condition that a row comes after this place: it is beyond it by the first key, or
    /// equal by that and beyond by the second, and so on.
    pub(super) fn after(&self, query: &mut Query, order: &[Order]) {
        self.bound(query, order);
        query.push(" AND (");
        for (depth, (last, value)) in order.iter().zip(&self.0).enumerate() {
            query.push(if depth == 0 { "(" } else { " OR (" });
            for (equal, value) in order.iter().zip(&self.0).take(depth) {
                same(query, column(equal.key), value);
                query.push(" AND ");
            }
            beyond(query, *last, value);
            query.push(")");
        }
        query.push(")");
    }

    /// Says of the first key what the condition implies, so that a walk along its index begins at
    /// the page and not at the list's start. Nulls, which come last when a list goes down, are not
    /// in one piece of an index with what is smaller.
    fn bound(&self, query: &mut Query, order: &[Order]) {
        let (Some(first), Some(value)) = (order.first(), self.0.first()) else { return };
        let operator = match first.direction {
            _ if matches!(value, Value::Null) => return,
            Direction::Ascending => " >= ",
            Direction::Descending if is_nullable(first.key) => return,
            Direction::Descending => " <= ",
        };
        query.push(" AND ").push(column(first.key)).push(operator);
        value.bind(query);
    }
}

fn same(query: &mut Query, column: &str, value: &Value) {
    query.push(column);
    match value {
        Value::Null => drop(query.push(" IS NULL")),
        value => value.bind(query.push(" = ")),
    }
}

fn beyond(query: &mut Query, order: Order, value: &Value) {
    let column = column(order.key);
    match (order.direction, value) {
        (Direction::Ascending, Value::Null) => drop(query.push(column).push(" IS NOT NULL")),
        (Direction::Ascending, value) => value.bind(query.push(column).push(" > ")),
        (Direction::Descending, Value::Null) => drop(query.push("1 = 0")),
        (Direction::Descending, value) => {
            value.bind(query.push("(").push(column).push(" < "));
            query.push(" OR ").push(column).push(" IS NULL)");
        }
    }
}

fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Name => "images.name",
        SortKey::Status => "images.status",
        SortKey::ContainerFormat => "images.container_format",
        SortKey::DiskFormat => "images.disk_format",
        SortKey::Size => "images.size",
        SortKey::Id => "images.id",
        SortKey::CreatedAt => "images.created_at",
        SortKey::UpdatedAt => "images.updated_at",
    }
}

impl Value {
    fn read(row: &Row, key: SortKey) -> Result<Self> {
        let name = column(key).trim_start_matches("images.");
        Ok(match key {
            SortKey::Size => row.try_get::<Option<i64>>(name)?.map_or(Self::Null, Self::Number),
            SortKey::CreatedAt | SortKey::UpdatedAt => {
                row.try_get::<Option<Timestamp>>(name)?.map_or(Self::Null, Self::Time)
            }
            _ => row.try_get::<Option<String>>(name)?.map_or(Self::Null, Self::Text),
        })
    }

    fn bind(&self, query: &mut Query) {
        match self {
            Self::Null => query.push("NULL"),
            Self::Text(text) => query.push_bind(text.clone()),
            Self::Number(number) => query.push_bind(*number),
            Self::Time(instant) => query.push_bind(*instant),
        };
    }
}
