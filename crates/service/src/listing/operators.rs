//! `eq:` before a value that may also be a list.

use crate::error::{ApiError, Result};

/// The filters that take a list, and so an operator.
const LISTS: &[&str] = &["name", "id", "status", "container_format", "disk_format"];

/// Operators that other filters take.
const OTHERS: &[&str] = &["", "neq", "gt", "gte", "lt", "lte"];

/// The value without `eq:`. Another word before a colon belongs to the value, as in `debian:12`;
/// Glance refuses it. Errors: an operator that these filters don't take.
pub(super) fn strip<'a>(name: &str, value: &'a str) -> Result<&'a str> {
    let Some((operator, rest)) = value.split_once(':').filter(|_| LISTS.contains(&name)) else {
        return Ok(value);
    };
    match operator {
        "eq" => Ok(rest),
        unknown if OTHERS.contains(&unknown) => {
            Err(ApiError::bad_request(format!("Unable to filter by unknown operator '{unknown}'.")))
        }
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operators_are_taken_for_such() {
        assert_eq!(strip("name", "eq:in:a").unwrap(), "in:a");
        assert_eq!(strip("name", "debian:12").unwrap(), "debian:12");
        assert_eq!(strip("color", "neq:a").unwrap(), "neq:a");
        for value in ["neq:a", "gt:a", ":a"] {
            assert!(strip("id", value).is_err(), "{value}");
        }
    }
}
