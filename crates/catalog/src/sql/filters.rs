//! The filters of a list, as conditions.

use super::dialect::Query;
use super::visibility;
use image::Visibility;

use crate::{Comparison, Filter, ListQuery, Quantity, SortKey, TimeTest};

/// What a condition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its index finds the images.
    Finds,
    /// Images that something else found are checked against it, one by one.
    Checks,
    /// The same, by its own index and their ids: most of them are not what it asks for.
    Passes,
}

/// Adds every filter; `finder` is the place of the one that finds the images. Hidden images are
/// left out unless a filter asks for them, and those that failed for good always are, as in Glance.
pub(super) fn add(query: &mut Query, filters: &[Filter], finder: Option<usize>) {
    for (place, filter) in filters.iter().enumerate() {
        query.push(" AND ");
        let finds = finder == Some(place);
        condition(query, filter, if finds { Role::Finds } else { Role::Checks });
    }
    always_left_out(query, filters);
}

/// Adds the filters that need no more of an image than its id and what it is found by.
pub(super) fn pass(query: &mut Query, filters: &[Filter], finder: Option<usize>) {
    for (place, filter) in filters.iter().enumerate() {
        let role = if finder == Some(place) { Role::Finds } else { Role::Passes };
        if role == Role::Finds || is_of_a_part(filter) {
            query.push(" AND ");
            condition(query, filter, role);
        }
    }
}

/// Adds those that [`pass`] has not.
pub(super) fn add_others(query: &mut Query, filters: &[Filter], finder: Option<usize>) {
    for (place, filter) in filters.iter().enumerate() {
        if finder != Some(place) && !is_of_a_part(filter) {
            query.push(" AND ");
            condition(query, filter, Role::Checks);
        }
    }
    always_left_out(query, filters);
}

fn always_left_out(query: &mut Query, filters: &[Filter]) {
    query.push(" AND {unindexed}images.status <> 'killed'");
    if !filters.iter().any(|filter| matches!(filter, Filter::OsHidden(_))) {
        query.push(" AND {not}images.os_hidden");
    }
}

/// Whether the filter is about what belongs to an image and has a table of its own.
pub(super) fn is_of_a_part(filter: &Filter) -> bool {
    matches!(filter, Filter::Property(..) | Filter::Tags(_))
}

/// A list's filters, with one for each tag: each may be the one that finds few images.
pub(super) fn single(list: &ListQuery) -> Vec<Filter> {
    let apart = |filter: &Filter| match filter {
        Filter::Tags(tags) if tags.len() > 1 => {
            tags.iter().map(|tag| Filter::Tags([tag.clone()].into())).collect()
        }
        other => vec![other.clone()],
    };
    list.filters.iter().flat_map(apart).collect()
}

/// Whether so few images match, as a rule, that finding them all and sorting them beats a walk
/// through all images in order.
pub(super) fn finds_few(filter: &Filter) -> bool {
    matches!(
        filter,
        Filter::Id(_)
            | Filter::Name(_)
            | Filter::Owner(_)
            | Filter::Checksum(_)
            | Filter::OsHashValue(_)
    )
}

/// Whether few images have this visibility, as a rule.
pub(super) fn is_of_few(filter: &Filter) -> bool {
    let few = [Visibility::Public, Visibility::Community];
    matches!(filter, Filter::Visibility(Some(visibility)) if few.contains(visibility))
}

fn condition(query: &mut Query, filter: &Filter, role: Role) {
    match filter {
        Filter::Id(ids) => any_of(query, role, "images.id", ids.iter().cloned()),
        Filter::Name(names) => any_of(query, role, "images.name", names.iter().cloned()),
        Filter::Status(statuses) => any_of(query, role, "images.status", statuses.iter().map(text)),
        Filter::DiskFormat(formats) => {
            any_of(query, role, "images.disk_format", formats.iter().map(text))
        }
        Filter::ContainerFormat(formats) => {
            any_of(query, role, "images.container_format", formats.iter().map(text));
        }
        Filter::Visibility(None) => always(query),
        Filter::Visibility(Some(visibility)) => {
            equal(query, role, "images.visibility", text(visibility));
        }
        Filter::Owner(owner) => equal(query, role, "images.owner", owner.clone()),
        Filter::Checksum(checksum) => equal(query, role, "images.checksum", checksum.clone()),
        Filter::OsHashValue(value) => equal(query, role, "images.os_hash_value", value.clone()),
        Filter::OsHashAlgo(name) => equal(query, role, "images.os_hash_algo", name.clone()),
        Filter::Number(quantity, comparison, value) => {
            indexed(query, role, column(*quantity));
            number(query, role, operator(*comparison), *value);
        }
        Filter::Protected(yes) => is(query, "images.protected", *yes),
        Filter::OsHidden(yes) => is(query, "images.os_hidden", *yes),
        Filter::CreatedAt(test) => compare(query, "images.created_at", *test),
        Filter::UpdatedAt(test) => compare(query, "images.updated_at", *test),
        Filter::Tags(tags) => all_tags(query, role, tags.iter()),
        Filter::Property(name, value) => {
            part(query, role, "image_properties", |query| is_property(query, name, value));
        }
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

/// A number by which images are found is part of the text. With a value in its place PostgreSQL makes
/// one plan for all of them, in which a third of all images are larger.
fn number(query: &mut Query, role: Role, compared: &'static str, value: i64) {
    query.push(compared);
    match role {
        Role::Finds => query.push(value.to_string()),
        Role::Checks | Role::Passes => query.push_bind(value),
    };
}

fn is(query: &mut Query, column: &'static str, yes: bool) {
    query.push(if yes { "(NOT NOT " } else { "(NOT " }).push(column).push(")");
}

/// The column of a condition, whose index is used or not.
fn indexed(query: &mut Query, role: Role, column: &'static str) {
    if role != Role::Finds {
        query.push("{unindexed}");
    }
    query.push(column);
}

fn equal(query: &mut Query, role: Role, column: &'static str, value: String) {
    indexed(query, role, column);
    query.push(" = ").push_bind(value);
}

fn any_of(
    query: &mut Query,
    role: Role,
    column: &'static str,
    values: impl Iterator<Item = String>,
) {
    indexed(query, role, column);
    query.push(" IN (");
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

fn all_tags<'a>(query: &mut Query, role: Role, tags: impl Iterator<Item = &'a String>) {
    always(query);
    for tag in tags {
        query.push(" AND ");
        part(query, role, "image_tags", |query| is_tag(query, tag));
    }
}

/// The image has such a row in a table of parts. A database must not take the one for the other:
/// the second form has a limit, which no database makes a join of.
fn part(query: &mut Query, role: Role, table: &'static str, condition: impl Fn(&mut Query)) {
    match role {
        Role::Finds => {
            query.push("images.id IN (SELECT part.image_id FROM ").push(table);
            query.push(" part WHERE NOT part.deleted AND ");
            condition(query);
            query.push(")");
        }
        Role::Checks | Role::Passes => {
            query.push("(SELECT 1 FROM ").push(table).push(" part");
            if role == Role::Passes {
                query.push("{by value of ").push(table).push("} WHERE {of the image}");
            } else {
                query.push(" WHERE part.image_id = images.id");
            }
            query.push(" AND NOT part.deleted AND ");
            condition(query);
            query.push(" LIMIT 1) IS NOT NULL");
        }
    }
}

fn is_tag(query: &mut Query, tag: &str) {
    query.push("part.value = ").push_bind(tag.to_owned());
}

fn is_property(query: &mut Query, name: &str, value: &str) {
    query.push("part.name = ").push_bind(name.to_owned()).push(" AND ");
    begins(query, value);
    query.push(" AND part.value = ").push_bind(value.to_owned());
}

/// An index of values knows their beginnings only: they may be long.
fn begins(query: &mut Query, value: &str) {
    query.push("{beginning of}part.value{beginning} = {beginning of}");
    query.push_bind(value.to_owned()).push("{beginning}");
}

/// Whether it takes a look to know if a filter finds few images.
pub(super) fn is_probed(filter: &Filter) -> bool {
    matches!(filter, Filter::Property(..) | Filter::Tags(_) | Filter::Number(Quantity::Size, ..))
}

/// Adds a subquery: how many images such a filter finds, counted as far as to tell few from many,
/// and by the index alone: what is deleted counts too.
pub(super) fn probe(query: &mut Query, filter: &Filter) {
    query.push("(SELECT COUNT(*) FROM (SELECT 1 FROM ");
    match filter {
        Filter::Property(name, value) => {
            query.push("image_properties part WHERE part.name = ").push_bind(name.clone());
            begins(query.push(" AND "), value);
            query.push("{as indexed}");
        }
        Filter::Tags(tags) => {
            query.push("image_tags part WHERE 1 = 1");
            tags.iter().for_each(|tag| is_tag(query.push(" AND "), tag));
        }
        other => {
            query.push("images WHERE ");
            condition(query, other, Role::Finds);
        }
    }
    query.push(" LIMIT ").push_bind(MANY).push(") AS found)");
}

/// So many images are better walked by than found.
pub(super) const MANY: i64 = 1000;

/// Whether an index has the images of a filter in the order of this key.
pub(super) fn is_in_order(filter: &Filter, key: SortKey) -> bool {
    match (filter, key) {
        (Filter::Name(one), SortKey::CreatedAt) => one.len() == 1,
        (Filter::Status(one), SortKey::CreatedAt) => one.len() == 1,
        (Filter::Owner(_), SortKey::CreatedAt) => true,
        (Filter::Visibility(Some(_)), key) => visibility::is_in_order(key),
        _ => false,
    }
}
