//! Rules as text, in a form that reads back as the same rule.

use std::fmt::{self, Display, Formatter};

use super::Rule;
use super::template::{Piece, Template};

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("@"),
            Self::Never => f.write_str("!"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Named(name) => write!(f, "rule:{name}"),
            Self::Caller(fact, wanted) => write!(f, "{fact}:{wanted}"),
            Self::Literal(text, wanted) if text.contains('\'') => write!(f, "\"{text}\":{wanted}"),
            Self::Literal(text, wanted) => write!(f, "'{text}':{wanted}"),
            Self::Not(rule) => write!(f, "not {rule}"),
            Self::All(rules) => joined(f, rules, " and "),
            Self::Any(rules) => joined(f, rules, " or "),
        }
    }
}

fn joined(f: &mut Formatter<'_>, rules: &[Rule], word: &str) -> fmt::Result {
    f.write_str("(")?;
    for (number, rule) in rules.iter().enumerate() {
        if number > 0 {
            f.write_str(word)?;
        }
        rule.fmt(f)?;
    }
    f.write_str(")")
}

impl Display for Template {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(&text.replace('%', "%%")),
            Piece::Fact(name) => write!(f, "%({name})s"),
        })
    }
}
