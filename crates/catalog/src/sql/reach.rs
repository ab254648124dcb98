//! How far a statement goes for a page, by the first key. No index has the order of several keys, and
//! most databases would sort all images: those within reach are few. Going down, values and nulls are
//! in two places of an index: one is walked after the other.

use super::dialect::{Query, Row};
use super::order::{Plan, column};
use super::place::Value;
use crate::{Direction, Order, Result};

/// The values of the first key that are looked for.
pub(super) enum Reach {
    /// Null, which all on the page have.
    Nulls,
    /// As far as this one, which the last one on the page has.
    Values(Value),
    /// Nulls, and those that are not larger than this one.
    Both(Value),
    /// All values. Nulls come behind them.
    AllValues,
    /// Null, which all have that are left.
    AllNulls,
}

impl Reach {
    /// The reach of a page of `limit` images, by the rows that are the first ones by the key alone.
    /// `None` where there are less than that: no others are left.
    pub(super) fn of(rows: &[Row], first: Order, limit: usize) -> Result<Option<Self>> {
        let (Some(near), Some(far)) = (rows.first(), rows.last()) else { return Ok(None) };
        if rows.len() < limit {
            return Ok(None);
        }
        let (near, far) = (Value::read(near, first.key)?, Value::read(far, first.key)?);
        Ok(Some(match (near, far) {
            (Value::Null, Value::Null) => Self::Nulls,
            // Nulls are smaller than all values, whichever way a list goes.
            (Value::Null, value) | (value, Value::Null) => Self::Both(value),
            (_, far) => Self::Values(far),
        }))
    }

    /// Whether it has no nulls.
    pub(super) fn is_of_values(&self) -> bool {
        matches!(self, Self::Values(_) | Self::AllValues)
    }

    /// Adds the condition that a row's first key is one of these.
    pub(super) fn add(&self, query: &mut Query, first: Order, plan: Plan) {
        let column = column(first.key);
        let indexed = if plan == Plan::Walk { " AND " } else { " AND {unindexed}" };
        match self {
            Self::Nulls | Self::AllNulls => {
                query.push(indexed).push(column).push(" IS NULL");
            }
            // The place says so.
            Self::AllValues => {}
            Self::Values(far) => {
                let operator = match first.direction {
                    Direction::Ascending => " <= ",
                    Direction::Descending => " >= ",
                };
                far.bind(query.push(indexed).push(column).push(operator));
            }
            Self::Both(largest) => {
                query.push(" AND (").push(column).push(" IS NULL OR ").push(column);
                largest.bind(query.push(" <= "));
                query.push(")");
            }
        }
    }
}
