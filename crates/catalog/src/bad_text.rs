//! Texts that a database can't hold.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a database can't hold a text, in words for clients, with the column where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum BadText {
    /// It has a character outside of the basic multilingual plane: four bytes of UTF-8. Glance's
    /// tables in MySQL and MariaDB are of `utf8mb3`. The words are Glance's (`no_4byte_params` of
    /// `glance/common/utils.py`).
    #[error("{} can't contain 4 byte unicode characters.", .0.as_deref().map_or("Param values".into(), title))]
    FourBytes(Option<String>),
    /// It has another character that the database has no place for: PostgreSQL takes no zero.
    #[error("A text has a character that the database can't hold, as U+0000.")]
    Character,
    /// It has more characters than the column.
    #[error("{} is longer than the database can hold.", .0.as_deref().map_or("A text".into(), title))]
    TooLong(Option<String>),
}

/// As Python's `str.title`: `meta_data` is `Meta_Data`.
fn title(column: &str) -> String {
    let mut after_a_letter = false;
    let titled = column.chars().map(|letter| {
        let begins = !std::mem::replace(&mut after_a_letter, letter.is_ascii_alphabetic());
        if begins { letter.to_ascii_uppercase() } else { letter }
    });
    titled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_glances() {
        let cases = [
            (Some("name"), "Name can't contain 4 byte unicode characters."),
            (Some("display_name"), "Display_Name can't contain 4 byte unicode characters."),
            (None, "Param values can't contain 4 byte unicode characters."),
        ];
        for (column, words) in cases {
            assert_eq!(BadText::FourBytes(column.map(str::to_owned)).to_string(), words);
        }
    }
}
