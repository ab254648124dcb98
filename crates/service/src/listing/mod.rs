//! The query string of `GET /v2/images`, and the page that answers it.

mod filters;
mod numbers;
mod operators;
mod page;
mod sorting;

use catalog::ListQuery;
use image::ImageId;

use crate::error::{ApiError, Result};
use crate::limits::Limits;

pub(crate) use page::page;

/// A query string as names and values, decoded, in the order in which they were sent.
pub(crate) type Parameters = Vec<(String, String)>;

/// Reads a query string into names and values.
pub(crate) fn parameters(query: Option<&str>) -> Parameters {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Names that mean something each time that they are given. Of others, the last counts.
const REPEATED: &[&str] = &["tag", "sort", "sort_key", "sort_dir"];

/// The parameters that mean something, with their JSON types, for the description of the API. Any
/// other is a filter on a custom property.
pub(crate) const PARAMETERS: &[(&str, &str)] = &[
    ("limit", "integer"),
    ("marker", "string"),
    ("sort", "string"),
    ("sort_key", "string"),
    ("sort_dir", "string"),
    ("id", "string"),
    ("name", "string"),
    ("status", "string"),
    ("visibility", "string"),
    ("owner", "string"),
    ("member_status", "string"),
    ("tag", "string"),
    ("disk_format", "string"),
    ("container_format", "string"),
    ("size_min", "integer"),
    ("size_max", "integer"),
    ("min_disk", "integer"),
    ("min_ram", "integer"),
    ("protected", "boolean"),
    ("os_hidden", "boolean"),
    ("checksum", "string"),
    ("os_hash_value", "string"),
    ("created_at", "string"),
    ("updated_at", "string"),
];

/// Filters, tags and values to compare with, at most: more than any client has a use for, and few
/// enough for a statement of every database.
const MOST_VALUES: usize = 500;

/// The list that the parameters ask for.
pub(crate) fn parse(parameters: &Parameters, limits: &Limits) -> Result<ListQuery> {
    // What was no UTF-8 has been replaced.
    if parameters
        .iter()
        .any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'))
    {
        return Err(ApiError::bad_request(
            "Error decoding your request. Either the URL or the request body contained \
             characters that could not be decoded by Glance",
        ));
    }
    let values = parameters.iter().map(|(_, value)| 1 + value.matches(',').count());
    if values.sum::<usize>() > MOST_VALUES {
        let message = format!("A list takes at most {MOST_VALUES} values to compare with.");
        return Err(ApiError::bad_request(message));
    }
    let mut query = ListQuery { limit: limits.page, ..ListQuery::default() };
    let mut tags = std::collections::BTreeSet::new();
    for (place, (name, value)) in parameters.iter().enumerate() {
        let again = || parameters.iter().skip(place + 1).any(|(later, _)| later == name);
        if !REPEATED.contains(&name.as_str()) && again() {
            continue;
        }
        match name.as_str() {
            // Only those that are not: whatever the value is, as in Glance.
            "deleted" => {}
            "changes-since" => {
                let message = "The \"changes-since\" filter is no longer available on v2.";
                return Err(ApiError::bad_request(message));
            }
            "limit" => query.limit = limit(value)?.min(limits.page_max),
            "marker" => query.marker = Some(marker(value)?),
            "sort" | "sort_key" | "sort_dir" => {}
            "member_status" => query.member_status = filters::member_status(value)?,
            "tag" => {
                tags.insert(value.trim().to_owned());
            }
            name => query.filters.push(filters::parse(name, value)?),
        }
    }
    if !tags.is_empty() {
        query.filters.push(catalog::Filter::Tags(tags));
    }
    query.order = sorting::parse(parameters)?;
    Ok(query)
}

fn limit(text: &str) -> Result<u32> {
    let number: i128 =
        text.trim().parse().map_err(|_| ApiError::bad_request("limit param must be an integer"))?;
    u32::try_from(number).or_else(|_| match number {
        ..0 => Err(ApiError::bad_request("limit param must be positive")),
        _ => Ok(u32::MAX),
    })
}

fn marker(text: &str) -> Result<ImageId> {
    text.parse().map_err(|_| ApiError::bad_request(format!("No image found with ID {text}")))
}

#[cfg(test)]
mod tests {
    use catalog::{Direction, Filter, Order, SortKey};
    use image::Status;

    use super::*;

    fn query(text: &str) -> Result<ListQuery> {
        parse(&parameters(Some(text)), &Limits::default())
    }

    #[test]
    fn a_query_string_becomes_filters_order_and_page() {
        let query = query("name=a%20b&status=in:active,queued&limit=7&sort=name:asc&os_distro=x");
        let query = query.unwrap();
        assert_eq!(query.limit, 7);
        assert_eq!(
            query.filters,
            [
                Filter::Name(vec!["a b".into()]),
                Filter::Status(vec![Status::Active, Status::Queued]),
                Filter::Property("os_distro".into(), "x".into()),
            ]
        );
        let order = [Order { key: SortKey::Name, direction: Direction::Ascending }];
        assert_eq!(query.order, order);
    }

    #[test]
    fn a_word_that_is_none_matches_nothing() {
        assert_eq!(query("status=sleeping").unwrap().filters, [Filter::Status(vec![])]);
        assert_eq!(
            query("status=in:sleeping,active").unwrap().filters,
            [Filter::Status(vec![Status::Active])]
        );
    }

    #[test]
    fn the_last_of_several_counts() {
        let query = query("name=a&limit=3&name=b&limit=4&tag=x&tag=y").unwrap();
        let tags = ["x", "y"].map(str::to_owned).into();
        assert_eq!(query.filters, [Filter::Name(vec!["b".into()]), Filter::Tags(tags)]);
        assert_eq!(query.limit, 4);
    }

    #[test]
    fn a_statement_stays_within_what_databases_take() {
        let many = |count: usize| query(&format!("name=in:{}", ",".repeat(count)));
        assert!(many(499).is_ok());
        assert!(many(500).is_err());
        assert!(query(&"&tag=x".repeat(501)).is_err());
    }

    #[test]
    fn limits_are_bounded() {
        assert_eq!(query("").unwrap().limit, 25);
        assert_eq!(query("limit=0").unwrap().limit, 0);
        assert_eq!(query("limit=99999999999").unwrap().limit, 1000);
        assert!(query("limit=-1").is_err());
        assert!(query("limit=x").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        let bad = [
            "marker=../../etc",
            "changes-since=2026-01-01",
            "visibility=secret",
            "member_status=maybe",
            "size_min=x",
            "name=%ff",
            "protected=maybe",
            "created_at=yesterday",
            "created_at=near:2026-01-01T00:00:00Z",
            "name=in:%22open",
            "sort=colour:asc",
            "sort=name:sideways",
            "sort_key=name&sort_dir=up",
            "sort=name&sort_key=name",
        ];
        for text in bad {
            assert!(query(text).is_err(), "{text}");
        }
    }
}
