//! The filters of a list: one name each, with the values that it takes.

use std::str::FromStr;

use catalog::{Filter, MemberFilter, TimeTest};
use image::{Timestamp, Visibility};

use super::{numbers, operators};
use crate::error::{ApiError, Result};

/// One filter by its name; a name that is no filter is a custom property.
pub(super) fn parse(name: &str, value: &str) -> Result<Filter> {
    let value = operators::strip(name, value)?;
    if let Some(number) = numbers::parse(name, value)? {
        return Ok(number);
    }
    Ok(match name {
        "id" => Filter::Id(texts(value)?),
        "name" => Filter::Name(texts(value)?),
        "status" => Filter::Status(words(value)?),
        "disk_format" => Filter::DiskFormat(words(value)?),
        "container_format" => Filter::ContainerFormat(words(value)?),
        "visibility" => Filter::Visibility(visibility(value)?),
        "owner" => Filter::Owner(value.to_owned()),
        "checksum" => Filter::Checksum(value.to_owned()),
        "os_hash_value" => Filter::OsHashValue(value.to_owned()),
        "os_hash_algo" => Filter::OsHashAlgo(value.to_owned()),
        "protected" => Filter::Protected(boolean(name, value)?),
        "os_hidden" => Filter::OsHidden(boolean(name, value)?),
        "created_at" => Filter::CreatedAt(time(name, value)?),
        "updated_at" => Filter::UpdatedAt(time(name, value)?),
        _ => Filter::Property(name.to_owned(), value.to_owned()),
    })
}

/// Which images that are shared with the caller are listed.
pub(super) fn member_status(value: &str) -> Result<MemberFilter> {
    match value {
        "all" => Ok(MemberFilter::All),
        _ => value
            .parse()
            .map(MemberFilter::Only)
            .map_err(|_| ApiError::bad_request(format!("Invalid status: {value}"))),
    }
}

fn visibility(value: &str) -> Result<Option<Visibility>> {
    match value {
        "all" => Ok(None),
        _ => value
            .parse()
            .map(Some)
            .map_err(|_| ApiError::bad_request(format!("Invalid visibility value: {value}"))),
    }
}

/// A word that is none of the enumeration's matches no image.
fn words<T: FromStr>(value: &str) -> Result<Vec<T>> {
    Ok(texts(value)?.iter().filter_map(|text| text.parse().ok()).collect())
}

fn boolean(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid(name, value)),
    }
}

fn invalid(name: &str, value: &str) -> ApiError {
    ApiError::bad_request(format!("Invalid value '{value}' for parameter '{name}'."))
}

/// `operator:time`; without an operator, at that time.
fn time(name: &str, value: &str) -> Result<TimeTest> {
    type Make = fn(Timestamp) -> TimeTest;
    const OPERATORS: &[(&str, Make)] = &[
        ("gt:", TimeTest::Gt),
        ("gte:", TimeTest::Gte),
        ("lt:", TimeTest::Lt),
        ("lte:", TimeTest::Lte),
        ("eq:", TimeTest::Eq),
        ("neq:", TimeTest::Neq),
    ];
    let found = OPERATORS.iter().find_map(|(op, make)| Some((make, value.strip_prefix(op)?)));
    let (make, text) = found.unwrap_or((&(TimeTest::Eq as Make), value));
    text.parse().map(make).map_err(|_| invalid(name, value))
}

/// One value, or a list `in:a,b` whose members may be quoted: `in:"a,b",c`.
fn texts(value: &str) -> Result<Vec<String>> {
    let Some(list) = value.strip_prefix("in:") else { return Ok(vec![value.to_owned()]) };
    let mut texts = vec![String::new()];
    let mut quoted = false;
    let mut characters = list.chars();
    while let Some(character) = characters.next() {
        let last = texts.last_mut();
        match (character, last) {
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => texts.push(String::new()),
            ('\\', Some(last)) if quoted => last.extend(characters.next()),
            (other, Some(last)) => last.push(other),
            (_, None) => {}
        }
    }
    match quoted {
        true => Err(ApiError::bad_request(format!(
            "Invalid filter value {list}. The quote is not closed."
        ))),
        false => Ok(texts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_be_quoted() {
        assert_eq!(texts("a,b").unwrap(), ["a,b"]);
        assert_eq!(texts("in:a,b").unwrap(), ["a", "b"]);
        assert_eq!(texts(r#"in:"a,b",c"#).unwrap(), ["a,b", "c"]);
        assert_eq!(texts(r#"in:"a\"b""#).unwrap(), ["a\"b"]);
    }

    #[test]
    fn times_take_operators() {
        let time = Timestamp::from_microsecond(1_700_000_000_000_000);
        let parsed = parse("created_at", "gte:2023-11-14T22:13:20Z").unwrap();
        assert_eq!(parsed, Filter::CreatedAt(TimeTest::Gte(time)));
        let parsed = parse("updated_at", "2023-11-14T22:13:20Z").unwrap();
        assert_eq!(parsed, Filter::UpdatedAt(TimeTest::Eq(time)));
    }
}
