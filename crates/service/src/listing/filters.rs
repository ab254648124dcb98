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
        "visibility" if value.is_empty() => NONE,
        "visibility" => Filter::Visibility(visibility(value)?),
        "owner" => Filter::Owner(value.to_owned()),
        "checksum" => Filter::Checksum(value.to_owned()),
        "os_hash_value" => Filter::OsHashValue(value.to_owned()),
        "os_hash_algo" => Filter::OsHashAlgo(value.to_owned()),
        "protected" => Filter::Protected(boolean(name, value)?),
        "os_hidden" => Filter::OsHidden(boolean(name, &value.to_ascii_lowercase())?),
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

/// A filter that lets nothing pass: what no image can have was asked for.
const NONE: Filter = Filter::Id(Vec::new());

fn boolean(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ApiError::bad_request(format!(
            "Invalid value '{value}' for '{name}' filter. Valid values are 'true' or 'false'."
        ))),
    }
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
    if found.is_none() && text.split_once(':').is_some_and(|(op, _)| is_word(op)) {
        return Err(ApiError::bad_request("Unable to filter on a unknown operator."));
    }
    text.parse().map(make).map_err(|_| {
        ApiError::bad_request(format!(
            "Bad \"{name}\" query filter format. Use ISO 8601 DateTime notation."
        ))
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_alphabetic)
}

/// One value, or a list `in:a,b` whose members may be quoted: `in:"a,b",c`.
fn texts(value: &str) -> Result<Vec<String>> {
    let Some(list) = value.strip_prefix("in:") else { return Ok(vec![value.to_owned()]) };
    check_quotes(list)?;
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
    Ok(texts)
}

/// Quotes stand around whole members of a list.
fn check_quotes(list: &str) -> Result<()> {
    let bad = |why: &str| ApiError::bad_request(format!("Invalid filter value {list}. {why}."));
    let mut quoted = false;
    for (at, _) in list.match_indices('"') {
        let (before, after) = (&list[..at], &list[at + 1..]);
        match quoted {
            _ if before.ends_with('\\') => continue,
            false if !before.is_empty() && !before.ends_with(',') => {
                return Err(bad("There is no comma before opening quotation mark"));
            }
            true if !after.is_empty() && !after.starts_with(',') => {
                return Err(bad("There is no comma after closing quotation mark"));
            }
            _ => quoted = !quoted,
        }
    }
    if quoted { Err(bad("The quote is not closed")) } else { Ok(()) }
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
