//! Filters on the numbers of a record, which Glance takes by the names of its columns: alone, or
//! with `_min` and `_max` at their end.

use catalog::{Comparison, Filter, Quantity};

use crate::error::{ApiError, Result};

const NAMES: &[(&str, Quantity)] = &[
    ("size", Quantity::Size),
    ("virtual_size", Quantity::VirtualSize),
    ("min_disk", Quantity::MinDisk),
    ("min_ram", Quantity::MinRam),
];

const ENDS: &[(&str, Comparison)] =
    &[("_min", Comparison::AtLeast), ("_max", Comparison::AtMost), ("", Comparison::Exactly)];

/// The filter of this name, if it is about a number.
pub(super) fn parse(name: &str, value: &str) -> Result<Option<Filter>> {
    let found = NAMES.iter().find_map(|(stem, quantity)| {
        let end = name.strip_prefix(stem)?;
        let (_, comparison) = ENDS.iter().find(|(known, _)| *known == end)?;
        Some((*quantity, *comparison))
    });
    let Some((quantity, comparison)) = found else { return Ok(None) };
    match value.trim().parse() {
        Ok(number) => Ok(Some(Filter::Number(quantity, comparison, number))),
        // What is no number is the value of none.
        Err(_) if comparison == Comparison::Exactly => Ok(Some(Filter::Id(Vec::new()))),
        Err(_) => {
            let message = "Unable to filter on a range with a non-numeric value.";
            Err(ApiError::bad_request(message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_end_in_a_bound() {
        use Comparison::*;
        let cases = [
            ("virtual_size", "7", Filter::Number(Quantity::VirtualSize, Exactly, 7)),
            ("min_disk_min", " 7", Filter::Number(Quantity::MinDisk, AtLeast, 7)),
            ("min_ram_max", "-7", Filter::Number(Quantity::MinRam, AtMost, -7)),
            ("size", "x", Filter::Id(Vec::new())),
        ];
        for (name, value, expected) in cases {
            assert_eq!(parse(name, value).unwrap(), Some(expected), "{name}={value}");
        }
        assert!(parse("size_min", "x").is_err());
        assert_eq!(parse("size_mid", "7").unwrap(), None);
        assert_eq!(parse("color", "7").unwrap(), None);
    }
}
