//! The order of a list. Nulls stand before all values, as SQLite and MySQL sort them.

use super::dialect::Query;
use crate::{Direction, ListQuery, Order, SortKey};

/// How the rows of a list are brought into order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Along an index of the first key, until the page is full.
    Walk,
    /// All that match are found first.
    Sort,
}

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

/// Adds the columns of the keys, of this table.
pub(super) fn columns(query: &mut Query, order: &[Order], table: &str) {
    let mut keys = query.separated(", ");
    for Order { key, .. } in order {
        keys.push(table).push_unseparated(".").push_unseparated(name(*key));
    }
}

/// Adds `ORDER BY`, by columns of this table.
pub(super) fn add(query: &mut Query, order: &[Order], plan: Plan, table: &str) {
    query.push(" ORDER BY ");
    let mut keys = query.separated(", ");
    for Order { key, direction } in order {
        keys.push(if plan == Plan::Walk { "" } else { "{unindexed}" });
        keys.push_unseparated(table).push_unseparated(".").push_unseparated(name(*key));
        keys.push_unseparated(match (direction, is_nullable(*key)) {
            (Direction::Ascending, false) => " ASC",
            (Direction::Descending, false) => " DESC",
            (Direction::Ascending, true) => "{asc}",
            (Direction::Descending, true) => "{desc}",
        });
    }
}

/// Whether the schema lets the column be null.
pub(super) fn is_nullable(key: SortKey) -> bool {
    !matches!(key, SortKey::Status | SortKey::Id | SortKey::CreatedAt)
}

/// The key's column.
pub(super) fn column(key: SortKey) -> &'static str {
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

/// The same, of whatever table.
pub(super) fn name(key: SortKey) -> &'static str {
    column(key).trim_start_matches("images.")
}
