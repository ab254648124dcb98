//! The query strings of lists.

use catalog::Direction;
use catalog::metadefs::{NamespaceKey, NamespaceQuery, Reach, TagKey, TagQuery};

use crate::error::{ApiError, Result};
use crate::limits::Limits;
use crate::listing::Parameters;

/// Types of resources to filter by, at most: as many as a statement of every database takes.
const MOST_VALUES: usize = 500;

/// `GET /v2/metadefs/namespaces`.
pub(crate) fn namespaces(parameters: &Parameters, limits: &Limits) -> Result<NamespaceQuery> {
    let limit = limit(parameters, 0)?.unwrap_or(limits.page);
    Ok(NamespaceQuery {
        reach: visibility(parameters)?,
        resource_types: resource_types(parameters)?,
        key: key(parameters, NamespaceKey::ALL, NamespaceKey::as_str)?,
        direction: direction(parameters)?,
        marker: last(parameters, "marker").map(str::to_owned),
        limit: limit.min(limits.page_max),
    })
}

/// `GET …/tags`: all of them, unless the request says how many.
pub(crate) fn tags(parameters: &Parameters) -> Result<TagQuery> {
    other_visibility(parameters)?;
    Ok(TagQuery {
        key: key(parameters, TagKey::ALL, TagKey::as_str)?,
        direction: direction(parameters)?,
        marker: last(parameters, "marker").filter(|marker| !marker.is_empty()).map(str::to_owned),
        // Of tags alone, an empty limit is none: so in Glance.
        limit: match last(parameters, "limit") {
            Some("") => None,
            _ => limit(parameters, 0)?,
        },
    })
}

/// `GET …/objects`: always all of them by name, but nonsense is refused, as in Glance.
pub(crate) fn objects(parameters: &Parameters) -> Result<()> {
    other_visibility(parameters)?;
    direction(parameters)?;
    limit(parameters, 1).map(drop)
}

/// `visibility` of namespaces.
pub(crate) fn visibility(parameters: &Parameters) -> Result<Option<Reach>> {
    let given = last(parameters, "visibility").filter(|given| !given.is_empty());
    given.map(|given| given.parse().map_err(|_| invalid_visibility(given))).transpose()
}

/// Checked where it has no effect.
fn other_visibility(parameters: &Parameters) -> Result<()> {
    match last(parameters, "visibility") {
        None | Some("" | "public" | "private" | "shared") => Ok(()),
        Some(other) => Err(invalid_visibility(other)),
    }
}

fn invalid_visibility(given: &str) -> ApiError {
    ApiError::bad_request(format!("Invalid visibility value: {given}"))
}

fn resource_types(parameters: &Parameters) -> Result<Option<Vec<String>>> {
    let Some(names) = last(parameters, "resource_types") else { return Ok(None) };
    let names: Vec<_> = names.split(',').map(str::to_owned).collect();
    if names.len() > MOST_VALUES {
        let message = format!("A list takes at most {MOST_VALUES} resource types.");
        return Err(ApiError::bad_request(message));
    }
    Ok(Some(names))
}

fn limit(parameters: &Parameters, least: i64) -> Result<Option<u32>> {
    let Some(text) = last(parameters, "limit") else { return Ok(None) };
    let number: i64 =
        text.parse().map_err(|_| ApiError::bad_request("limit param must be an integer"))?;
    if number < least {
        return Err(ApiError::bad_request("limit param must be positive"));
    }
    Ok(Some(u32::try_from(number).unwrap_or(u32::MAX)))
}

fn direction(parameters: &Parameters) -> Result<Direction> {
    match last(parameters, "sort_dir").unwrap_or("desc") {
        "asc" => Ok(Direction::Ascending),
        "desc" => Ok(Direction::Descending),
        other => Err(ApiError::bad_request(format!("Invalid sort direction: {other}"))),
    }
}

fn key<K: Copy>(parameters: &Parameters, all: &[K], name: fn(K) -> &'static str) -> Result<K> {
    let asked = last(parameters, "sort_key").unwrap_or("created_at");
    all.iter().copied().find(|key| name(*key) == asked).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|key| name(*key)).collect();
        ApiError::bad_request(format!(
            "Invalid sort key: {asked}. It must be one of the following: {}.",
            known.join(", ")
        ))
    })
}

/// Of several parameters of a name, the last counts.
fn last<'a>(parameters: &'a Parameters, wanted: &str) -> Option<&'a str> {
    let found = parameters.iter().rev().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str())
}
