//! Where the next page of a list begins: keyset pagination.

use image::Timestamp;

use super::dialect::{Query, Row};
use super::order::{column, is_nullable, name};
use super::reach::Reach;
use crate::{Direction, Order, Result, SortKey};

/// A value that rows are compared with.
pub(super) enum Value {
    Null,
    Text(String),
    Number(i64),
    Time(Timestamp),
}

/// A row's values of the keys that a list is ordered by.
pub(super) struct Place(Vec<Value>);

impl Place {
    /// Where this row stands.
    pub(super) fn of(row: &Row, order: &[Order]) -> Result<Self> {
        order.iter().map(|order| Value::read(row, order.key)).collect::<Result<_>>().map(Self)
    }

    /// Whether rows without a value of the first key come behind all others, which come first.
    pub(super) fn is_before_nulls(&self, order: &[Order]) -> bool {
        let (Some(first), Some(value)) = (order.first(), self.0.first()) else { return false };
        let goes_down = first.direction == Direction::Descending;
        goes_down && is_nullable(first.key) && !matches!(value, Value::Null)
    }

    /// Adds the condition that a row comes after this place; of rows that go as far as `reach`.
    pub(super) fn after(&self, query: &mut Query, order: &[Order], reach: Option<&Reach>) {
        bound(query, order, &self.0, reach);
        after(query, order, &self.0);
    }
}

/// Says of the first key what the condition implies, so that a walk along its index begins at the page
/// and not at the list's start. Nulls, which come last when a list goes down, are not in one piece of
/// an index with what is smaller.
fn bound(query: &mut Query, order: &[Order], values: &[Value], reach: Option<&Reach>) {
    let (Some(first), Some(value)) = (order.first(), values.first()) else { return };
    let has_nulls = is_nullable(first.key) && !reach.is_some_and(Reach::is_of_values);
    let operator = match first.direction {
        _ if matches!(value, Value::Null) => return,
        Direction::Ascending => " >= ",
        Direction::Descending if has_nulls => return,
        Direction::Descending => " <= ",
    };
    value.bind(query.push(" AND ").push(column(first.key)).push(operator));
}

/// Adds the condition that a row is beyond these values by the first key, or equal by that and beyond
/// by the second, and so on.
fn after(query: &mut Query, order: &[Order], values: &[Value]) {
    query.push(" AND (");
    for (depth, (last, value)) in order.iter().zip(values).enumerate() {
        query.push(if depth == 0 { "(" } else { " OR (" });
        for (equal, value) in order.iter().zip(values).take(depth) {
            same(query, column(equal.key), value);
            query.push(" AND ");
        }
        beyond_or_null(query, *last, value);
        query.push(")");
    }
    query.push(")");
}

fn same(query: &mut Query, column: &str, value: &Value) {
    query.push(column);
    match value {
        Value::Null => drop(query.push(" IS NULL")),
        value => value.bind(query.push(" = ")),
    }
}

/// Adds the condition that a row is beyond this value; where a list goes down, nulls are.
fn beyond_or_null(query: &mut Query, order: Order, value: &Value) {
    let nulls_too = order.direction == Direction::Descending && is_nullable(order.key);
    if !nulls_too || matches!(value, Value::Null) {
        return beyond(query, order, value);
    }
    beyond(query.push("("), order, value);
    query.push(" OR ").push(column(order.key)).push(" IS NULL)");
}

/// Adds the condition that a row has a value that is beyond this one.
fn beyond(query: &mut Query, order: Order, value: &Value) {
    let column = column(order.key);
    match (order.direction, value) {
        (Direction::Ascending, Value::Null) => drop(query.push(column).push(" IS NOT NULL")),
        (Direction::Ascending, value) => value.bind(query.push(column).push(" > ")),
        (Direction::Descending, Value::Null) => drop(query.push("1 = 0")),
        (Direction::Descending, value) => value.bind(query.push(column).push(" < ")),
    }
}

impl Value {
    /// A row's value of this key.
    pub(super) fn read(row: &Row, key: SortKey) -> Result<Self> {
        let name = name(key);
        Ok(match key {
            SortKey::Size => row.try_get::<Option<i64>>(name)?.map_or(Self::Null, Self::Number),
            SortKey::CreatedAt | SortKey::UpdatedAt => {
                row.try_get::<Option<Timestamp>>(name)?.map_or(Self::Null, Self::Time)
            }
            _ => row.try_get::<Option<String>>(name)?.map_or(Self::Null, Self::Text),
        })
    }

    /// Adds it to a statement.
    pub(super) fn bind(&self, query: &mut Query) {
        match self {
            Self::Null => query.push("NULL"),
            Self::Text(text) => query.push_bind(text.clone()),
            Self::Number(number) => query.push_bind(*number),
            Self::Time(instant) => query.push_bind(*instant),
        };
    }
}
