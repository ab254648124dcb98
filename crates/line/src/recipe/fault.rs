//! What is wrong with a recipe, shown so that it can be mended at once.

use std::fmt;

use super::text::Place;

/// Names further away than this share of their length are no help.
const NEAR: f64 = 0.6;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What, in words.
    pub message: String,
    /// Where, if it is in one place.
    pub place: Option<Place>,
    /// What was probably meant, or what may stand there.
    pub help: Option<String>,
}

impl Fault {
    /// A fault in a section or value, from what the TOML reader says.
    pub(super) fn read(message: &str, section: &str, place: Option<Place>) -> Self {
        let (message, help) = reworded(message, section);
        Fault { message, place, help }
    }
}

/// A recipe's faults, all that were found.
#[derive(Clone, Debug)]
pub struct Faults(pub Vec<Fault>);

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n\n")?;
            }
            fault.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(formatter, "{}:{}:{}: ", place.origin, place.line, place.column)?;
        }
        formatter.write_str(&self.message)?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            let before = indent(&place.excerpt, place.column - 1);
            let carets = "^".repeat(place.width);
            write!(formatter, "\n{margin} |\n{number} | {}\n", place.excerpt)?;
            write!(formatter, "{margin} | {before}{carets}")?;
            if let Some(help) = &self.help {
                write!(formatter, " {help}")?;
            }
        } else if let Some(help) = &self.help {
            write!(formatter, "; {help}")?;
        }
        Ok(())
    }
}

/// As wide as the first `columns` characters of the line; tabs stay tabs.
fn indent(line: &str, columns: usize) -> String {
    line.chars().take(columns).map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

/// Serde's sentences for a wrong name hold the name and those that are known, in backquotes:
/// they are told in a recipe's words, with the nearest name.
fn reworded(message: &str, section: &str) -> (String, Option<String>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let known = quoted.get(1..).unwrap_or_default();
    match quoted.first() {
        Some(name) if message.starts_with("unknown field") => {
            (format!("unknown key `{name}` in {section}"), suggestion(name, known))
        }
        Some(name) if message.starts_with("unknown variant") => {
            (format!("unknown value `{name}`"), suggestion(name, known))
        }
        Some(name) if message.starts_with("missing field") => {
            (format!("{section} lacks the key `{name}`"), None)
        }
        _ => (message.to_owned(), None),
    }
}

/// The nearest of the known names, or all of them when none is near.
pub(super) fn suggestion(name: &str, known: &[&str]) -> Option<String> {
    match nearest(name, known) {
        Some(nearest) => Some(format!("did you mean `{nearest}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known are: {}", known.join(", "))),
    }
}

/// The known name that is most like this one, if any is like it.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| *candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_and_all_names_when_none_is_near() {
        for (name, expected) in [
            ("siz", "did you mean `size`?"),
            ("fromat", "did you mean `format`?"),
            ("zzz", "known are: size, format"),
        ] {
            assert_eq!(suggestion(name, &["size", "format"]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_fault_points_at_its_characters() {
        let place = Place {
            origin: "r.toml".into(),
            line: 12,
            column: 2,
            excerpt: "\tsiz = 1".into(),
            width: 3,
        };
        let fault = Fault { message: "no".into(), place: Some(place), help: Some("why".into()) };
        assert_eq!(fault.to_string(), "r.toml:12:2: no\n   |\n12 | \tsiz = 1\n   | \t^^^ why");
    }
}
