//! The filters of a list, as conditions.

use super::dialect::Query;
use image::Visibility;

use crate::{Comparison, Filter, ListQuery, Quantity, TimeTest};

/// Adds every filter; hidden images are left out unless a filter asks for them, and those that
/// failed for good always are, as in Glance.
pub(super) fn add(query: &mut Query, list: &ListQuery) {
    query.push(" AND images.status <> 'killed'");
    for filter in &list.filters {
        query.push(" AND ");
        condition(query, filter);
    }
    if !list.filters.iter().any(|filter| matches!(filter, Filter::OsHidden(_))) {
        query.push(" AND NOT images.os_hidden");
    }
}

/// Whether so few images match, as a rule, that finding them all and sorting them beats a walk
/// through all images in order.
pub(super) fn finds_few(filter: &Filter) -> bool {
    match filter {
        Filter::Id(_) | Filter::Name(_) | Filter::Owner(_) => true,
        Filter::Checksum(_) | Filter::OsHashValue(_) => true,
        Filter::Visibility(Some(visibility)) => few_are(*visibility),
        _ => false,
    }
}

fn few_are(visibility: Visibility) -> bool {
    matches!(visibility, Visibility::Public | Visibility::Community)
}

fn condition(query: &mut Query, filter: &Filter) {
    match filter {
        Filter::Id(ids) => any_of(query, "images.id", ids.iter().cloned()),
        Filter::Name(names) => any_of(query, "images.name", names.iter().cloned()),
        Filter::Status(statuses) => any_of(query, "images.status", statuses.iter().map(text)),
        Filter::DiskFormat(formats) => {
            any_of(query, "images.disk_format", formats.iter().map(text))
        }
        Filter::ContainerFormat(formats) => {
            any_of(query, "images.container_format", formats.iter().map(text));
        }
        Filter::Visibility(None) => always(query),
        Filter::Visibility(Some(visibility)) if few_are(*visibility) => {
            equal(query, "images.visibility", text(visibility));
        }
        Filter::Visibility(Some(visibility)) => {
            equal(query, "{unindexed}images.visibility", text(visibility));
        }
        Filter::Owner(owner) => equal(query, "images.owner", owner.clone()),
        Filter::Checksum(checksum) => equal(query, "images.checksum", checksum.clone()),
        Filter::OsHashValue(value) => equal(query, "images.os_hash_value", value.clone()),
        Filter::OsHashAlgo(name) => equal(query, "images.os_hash_algo", name.clone()),
        Filter::Number(quantity, comparison, value) => {
            query.push(column(*quantity));
            number(query, operator(*comparison), *value);
        }
        Filter::Protected(yes) => is(query, "images.protected", *yes),
        Filter::OsHidden(yes) => is(query, "images.os_hidden", *yes),
        Filter::CreatedAt(test) => compare(query, "images.created_at", *test),
        Filter::UpdatedAt(test) => compare(query, "images.updated_at", *test),
        Filter::Tags(tags) => all_tags(query, tags.iter()),
        Filter::Property(name, value) => property(query, name, value),
    }
}

fn column(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Size => "images.size",
        Quantity::VirtualSize => "images.virtual_size",
        Quantity::MinDisk => "images.min_disk",
        Quantity::MinRam => "images.min_ram",
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Exactly => " = ",
        Comparison::AtLeast => " >= ",
        Comparison::AtMost => " <= ",
    }
}

fn text(word: &impl ToString) -> String {
    word.to_string()
}

/// Holds for every image.
fn always(query: &mut Query) {
    query.push("1 = 1");
}

fn number(query: &mut Query, compared: &'static str, value: i64) {
    query.push(compared).push_bind(value);
}

fn is(query: &mut Query, column: &'static str, yes: bool) {
    query.push(if yes { "(NOT NOT " } else { "(NOT " }).push(column).push(")");
}

fn equal(query: &mut Query, column: &str, value: String) {
    query.push(column).push(" = ").push_bind(value);
}

fn any_of(query: &mut Query, column: &'static str, values: impl Iterator<Item = String>) {
    query.push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}

fn compare(query: &mut Query, column: &'static str, test: TimeTest) {
    let (operator, instant) = match test {
        TimeTest::Gt(instant) => (" > ", instant),
        TimeTest::Gte(instant) => (" >= ", instant),
        TimeTest::Lt(instant) => (" < ", instant),
        TimeTest::Lte(instant) => (" <= ", instant),
        TimeTest::Eq(instant) => (" = ", instant),
        TimeTest::Neq(instant) => (" <> ", instant),
    };
    query.push(column).push(operator).push_bind(instant);
}

fn all_tags<'a>(query: &mut Query, tags: impl Iterator<Item = &'a String>) {
    always(query);
    for tag in tags {
        query.push(
            " AND EXISTS (SELECT 1 FROM image_tags t WHERE t.image_id = images.id \
             AND NOT t.deleted AND t.value = ",
        );
        query.push_bind(tag.clone()).push(")");
    }
}

fn property(query: &mut Query, name: &str, value: &str) {
    query.push(
        "EXISTS (SELECT 1 FROM image_properties p WHERE p.image_id = images.id \
         AND NOT p.deleted AND p.name = ",
    );
    query.push_bind(name.to_owned());
    query.push(" AND p.value = ").push_bind(value.to_owned()).push(")");
}
