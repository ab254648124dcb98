//! The order of a list, and where its next page begins: by one column, then by creation and id, as
//! Glance sorts. Nulls stand before all values, as SQLite and MySQL sort them.

use crate::Direction;
use crate::sql::dialect::Query;

/// Adds the condition that a row `n` stands after the marker's row `m`.
pub(super) fn after(query: &mut Query, key: &str, direction: Direction) {
    let beyond = match direction {
        Direction::Ascending => ('>', "m", "n"),
        Direction::Descending => ('<', "n", "m"),
    };
    let (sign, null, value) = beyond;
    query.push("(");
    if !is_part_of_every_order(key) {
        query.push(format!(
            "n.{key} {sign} m.{key} OR ({null}.{key} IS NULL AND {value}.{key} IS NOT NULL) OR \
             (n.{key} = m.{key} OR (n.{key} IS NULL AND m.{key} IS NULL)) AND "
        ));
    }
    query.push(format!(
        "(n.created_at {sign} m.created_at OR (n.created_at = m.created_at AND n.id {sign} m.id)))"
    ));
}

/// Adds `ORDER BY` of rows `n`.
pub(super) fn order(query: &mut Query, key: &str, direction: Direction) {
    let word = match direction {
        Direction::Ascending => " ASC",
        Direction::Descending => " DESC",
    };
    query.push(" ORDER BY ");
    if !is_part_of_every_order(key) {
        let word = match direction {
            Direction::Ascending => "{asc}",
            Direction::Descending => "{desc}",
        };
        query.push(format!("n.{key}{word}, "));
    }
    query.push(format!("n.created_at{word}, n.id{word}"));
}

/// Sorted by `id` is sorted by creation, then id: so does Glance.
fn is_part_of_every_order(key: &str) -> bool {
    matches!(key, "created_at" | "id")
}
