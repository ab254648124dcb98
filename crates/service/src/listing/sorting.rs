//! The order of a list, in Glance's two spellings: `sort=key:dir,…`, or `sort_key` and `sort_dir`
//! repeated.

use catalog::{Direction, Order, SortKey};

use super::Parameters;
use crate::error::{ApiError, Result};

const KEYS: &[(&str, SortKey)] = &[
    ("name", SortKey::Name),
    ("status", SortKey::Status),
    ("container_format", SortKey::ContainerFormat),
    ("disk_format", SortKey::DiskFormat),
    ("size", SortKey::Size),
    ("id", SortKey::Id),
    ("created_at", SortKey::CreatedAt),
    ("updated_at", SortKey::UpdatedAt),
];

pub(super) fn parse(parameters: &Parameters) -> Result<Vec<Order>> {
    let values = |wanted: &str| {
        let of = parameters.iter().filter(move |(name, _)| name == wanted);
        of.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    let (sort, keys, directions) = (values("sort"), values("sort_key"), values("sort_dir"));
    match sort.as_slice() {
        [] => classic(&keys, &directions),
        [sort] if keys.is_empty() && directions.is_empty() => {
            sort.split(',').map(str::trim).map(combined).collect()
        }
        [_] => Err(ApiError::bad_request("Old and new sorting syntax cannot be combined")),
        _ => Err(ApiError::bad_request("The 'sort' parameter may be given once.")),
    }
}

/// `name:asc`, or `name` alone.
fn combined(text: &str) -> Result<Order> {
    let (name, direction) = text.split_once(':').unwrap_or((text, ""));
    let direction = if direction.is_empty() { "desc" } else { direction };
    Ok(Order { key: key(name.trim())?, direction: self::direction(direction.trim())? })
}

/// One direction serves all keys; several go with as many keys.
fn classic(keys: &[&str], directions: &[&str]) -> Result<Vec<Order>> {
    let keys = if keys.is_empty() && !directions.is_empty() { &["created_at"] } else { keys };
    if directions.len() > 1 && directions.len() != keys.len() {
        let message = "Number of sort dirs does not match the number of sort keys";
        return Err(ApiError::bad_request(message));
    }
    let directions = directions
        .iter()
        .copied()
        .chain(std::iter::repeat(directions.first().copied().unwrap_or("desc")));
    keys.iter()
        .zip(directions)
        .map(|(name, dir)| Ok(Order { key: key(name)?, direction: direction(dir)? }))
        .collect()
}

fn key(name: &str) -> Result<SortKey> {
    let found = KEYS.iter().find(|(known, _)| *known == name);
    found.map(|(_, key)| *key).ok_or_else(|| {
        let known: Vec<_> = KEYS.iter().map(|(name, _)| *name).collect();
        ApiError::bad_request(format!(
            "Invalid sort key: {name}. It must be one of the following: {}.",
            known.join(", ")
        ))
    })
}

fn direction(text: &str) -> Result<Direction> {
    match text {
        "asc" => Ok(Direction::Ascending),
        "desc" => Ok(Direction::Descending),
        _ => Err(ApiError::bad_request(format!("Invalid sort direction: {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::parameters;

    #[test]
    fn one_direction_serves_all_keys() {
        let order = parse(&parameters(Some("sort_key=name&sort_key=size&sort_dir=asc"))).unwrap();
        assert_eq!(order.len(), 2);
        assert!(order.iter().all(|order| order.direction == Direction::Ascending));
    }

    #[test]
    fn a_direction_alone_sorts_by_creation() {
        let order = parse(&parameters(Some("sort_dir=asc"))).unwrap();
        assert_eq!(order, [Order { key: SortKey::CreatedAt, direction: Direction::Ascending }]);
    }
}
