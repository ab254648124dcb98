//! What databases spell differently.

use std::borrow::Cow;

use super::Dialect;

/// A word of our statements, and its spelling in SQLite, in MySQL and in PostgreSQL.
type Word = (&'static str, [&'static str; 3]);

const WORDS: [Word; 23] = [
    // Before a column: its index is not used. SQLite keeps no statistics of its own accord and
    // takes any index for selective, also those of columns with two values.
    ("unindexed", ["+", "", ""]),
    // Before a flag that most rows agree in. MySQL would take an index of it for selective.
    ("not", ["NOT ", "NOT 0+", "NOT "]),
    // Between two tables, of which the first one is read first.
    ("joined to", ["CROSS JOIN", "STRAIGHT_JOIN", "CROSS JOIN"]),
    // After a query for properties by their value, before its limit: PostgreSQL would gather all of
    // them first, but for an order in which the index has them.
    ("as indexed", ["", "", " ORDER BY part.image_id"]),
    // A part is the image's, and is found by the index of its value, which knows whether there is such
    // a one. SQLite and MySQL prefer the index of images where they can, and look at a row of each.
    ("by value of image_properties", ["", " USE INDEX (tintype_image_properties_value)", ""]),
    ("by value of image_tags", ["", " USE INDEX (tintype_image_tags_value)", ""]),
    (
        "of the image",
        [
            "part.image_id BETWEEN images.id AND images.id",
            "part.image_id = images.id",
            "part.image_id = images.id",
        ],
    ),
    // After a query: its rows stay as they are until the transaction ends. A writer of SQLite has
    // the whole database to itself.
    ("for update", ["", " FOR UPDATE", " FOR UPDATE"]),
    // After a key of an order that may be null: nulls stand before all values. They do anyway but
    // in PostgreSQL, where this is not said of other keys: their index could not be used then.
    ("asc", [" ASC", " ASC", " ASC NULLS FIRST"]),
    ("desc", [" DESC", " DESC", " DESC NULLS LAST"]),
    // In an index: nulls stand before all values.
    ("nulls first", ["", "", " NULLS FIRST"]),
    // After `CREATE INDEX`: changes of the table go on meanwhile. MySQL lets them anyway.
    ("concurrently", ["", "", " CONCURRENTLY"]),
    // In an index, of a text that may be long: see below.
    ("indexed value", ["value", "value(100)", "LEFT(value, 100)"]),
    // Around a text that may be long: its beginning, which is as much as an index can hold. SQLite's
    // hold all of it, and MySQL's know by themselves that they hold a part.
    ("beginning of", ["(", "(", "LEFT("]),
    ("beginning", [")", ")", ", 100)"]),
    // After an `INSERT` into `cached_images`: what the node has of the image already gets its values.
    (
        "noted again",
        [
            " ON CONFLICT (image_id, node_reference_id) DO UPDATE SET size = excluded.size, \
             hits = excluded.hits, last_accessed = excluded.last_accessed",
            " ON DUPLICATE KEY UPDATE size = VALUES(size), hits = VALUES(hits), \
             last_accessed = VALUES(last_accessed)",
            " ON CONFLICT (image_id, node_reference_id) DO UPDATE SET size = excluded.size, \
             hits = excluded.hits, last_accessed = excluded.last_accessed",
        ],
    ),
    // Columns as they are written: MySQL's collations take other cases, accents and spaces at the end for
    // the same.
    ("exactly name", ["name", "CAST(name AS BINARY)", "name"]),
    ("exactly value", ["value", "CAST(value AS BINARY)", "value"]),
    // What `CAST` makes a number of 64 bits of: sums are decimals but in SQLite.
    ("integer", ["INTEGER", "SIGNED", "BIGINT"]),
    // Makes a JSON array of its arguments.
    ("json array", ["json_array", "JSON_ARRAY", "json_build_array"]),
    // Makes a JSON array of what rows have.
    ("json of rows", ["json_group_array", "JSON_ARRAYAGG", "json_agg"]),
    // What `CAST` makes a text of.
    ("text", ["TEXT", "CHAR", "TEXT"]),
    // A time before all others.
    (
        "never",
        [
            "'0001-01-01 00:00:00.000000'",
            "TIMESTAMP'0001-01-01 00:00:00'",
            "TIMESTAMP '0001-01-01 00:00:00'",
        ],
    ),
];

/// The statement as the database wants it.
pub(super) fn spell(dialect: Dialect, sql: Cow<'static, str>) -> Cow<'static, str> {
    let wanted = |c: char| c == '{' || (c == '?' && dialect == Dialect::Postgres);
    if !sql.contains(wanted) {
        return sql;
    }
    let mut spelled = String::with_capacity(sql.len() + 64);
    let (mut rest, mut values) = (sql.as_ref(), 0);
    while let Some(at) = rest.find(wanted) {
        spelled.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix('?') {
            values += 1;
            spelled.push_str(&format!("${values}"));
            rest = behind;
        } else {
            let (word, behind) = rest[1..].split_once('}').unwrap_or((&rest[1..], ""));
            spelled.push_str(spelling(dialect, word));
            rest = behind;
        }
    }
    spelled.push_str(rest);
    spelled.into()
}

fn spelling(dialect: Dialect, word: &str) -> &'static str {
    let known = WORDS.iter().find(|(known, _)| *known == word);
    debug_assert!(known.is_some(), "no such word: {word}");
    known.map_or("", |(_, spellings)| match dialect {
        Dialect::Sqlite => spellings[0],
        Dialect::MySql => spellings[1],
        Dialect::Postgres => spellings[2],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_has_its_spelling() {
        let sql = "SELECT CAST(? AS {integer}) WHERE {unindexed}a = ?{for update}";
        let spelled = |dialect| spell(dialect, sql.into());
        assert_eq!(spelled(Dialect::Sqlite), "SELECT CAST(? AS INTEGER) WHERE +a = ?");
        assert_eq!(spelled(Dialect::MySql), "SELECT CAST(? AS SIGNED) WHERE a = ? FOR UPDATE");
        assert_eq!(spelled(Dialect::Postgres), "SELECT CAST($1 AS BIGINT) WHERE a = $2 FOR UPDATE");
    }
}
