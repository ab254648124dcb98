//! From text to a rule.
//!
//! Reference: "Policy rule expressions" of oslo.policy (`oslo_policy/_parser.py`). What that
//! understands wrongly and then refuses for ever is an error here.

use std::str::FromStr;

use super::list::one_or;
use super::{Rule, Template};

/// Parentheses and `not` may be nested this deep: a file must not be able to exhaust the stack.
const DEPTH: usize = 64;

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {column}: {what}")]
pub struct BadRule {
    /// Where in the rule, in characters from 1.
    pub column: usize,
    /// What is wrong there and what to write.
    pub what: String,
}

impl BadRule {
    /// At a byte of a rule.
    fn at(text: &str, byte: usize, what: impl Into<String>) -> Self {
        let column = text.get(..byte).map_or(0, |before| before.chars().count()) + 1;
        Self { column, what: what.into() }
    }
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        if text.is_empty() {
            return Ok(Self::Always);
        }
        let tokens = tokens(text);
        let mut parser = Parser { text, tokens: &tokens, depth: 0 };
        let rule = parser.any()?;
        match parser.tokens.first() {
            None => Ok(rule),
            Some(_) => Err(parser.wrong("expected 'and' or 'or'")),
        }
    }
}

/// A word or parenthesis, and the byte where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    at: usize,
    kind: Kind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Open,
    Close,
    And,
    Or,
    Not,
    Check(&'a str),
}

/// Words stand between white space. Parentheses count at the beginning and the end of a word only:
/// within it they belong to `%(fact)s`.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let inner = word.trim_start_matches('(');
        let opened = word.len() - inner.len();
        tokens.extend((0..opened).map(|n| Token { at: at + n, kind: Kind::Open }));
        let check = inner.trim_end_matches(')');
        if !check.is_empty() {
            tokens.push(Token { at: at + opened, kind: kind(check) });
        }
        let end = at + opened + check.len();
        let closed = inner.len() - check.len();
        tokens.extend((0..closed).map(|n| Token { at: end + n, kind: Kind::Close }));
    }
    tokens
}

fn kind(word: &str) -> Kind<'_> {
    match word {
        _ if word.eq_ignore_ascii_case("and") => Kind::And,
        _ if word.eq_ignore_ascii_case("or") => Kind::Or,
        _ if word.eq_ignore_ascii_case("not") => Kind::Not,
        _ => Kind::Check(word),
    }
}

struct Parser<'a, 't> {
    text: &'a str,
    tokens: &'t [Token<'a>],
    depth: usize,
}

impl Parser<'_, '_> {
    fn any(&mut self) -> Result<Rule, BadRule> {
        let mut rules = vec![self.all()?];
        while self.take(Kind::Or) {
            rules.push(self.all()?);
        }
        Ok(one_or(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, BadRule> {
        let mut rules = vec![self.one()?];
        while self.take(Kind::And) {
            rules.push(self.one()?);
        }
        Ok(one_or(rules, Rule::All))
    }

    fn one(&mut self) -> Result<Rule, BadRule> {
        let token = self.tokens.first().copied();
        match token.map(|token| token.kind) {
            Some(Kind::Not) => self.deeper(|parser| Ok(Rule::Not(Box::new(parser.one()?)))),
            Some(Kind::Open) => self.deeper(|parser| {
                let rule = parser.any()?;
                match parser.take(Kind::Close) {
                    true => Ok(rule),
                    false => Err(parser.wrong("expected 'and', 'or' or ')'")),
                }
            }),
            Some(Kind::Check(word)) => {
                let rule = check_in(self.text, word)?;
                self.tokens = &self.tokens[1..];
                Ok(rule)
            }
            _ => Err(self.wrong("expected a check such as role:member")),
        }
    }

    /// Goes over one token and reads what follows it, unless that is nested too deep.
    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Rule, BadRule>,
    ) -> Result<Rule, BadRule> {
        if self.depth == DEPTH {
            return Err(self.wrong("nested too deep"));
        }
        self.depth += 1;
        self.tokens = &self.tokens[1..];
        let rule = read(self)?;
        self.depth -= 1;
        Ok(rule)
    }

    fn take(&mut self, kind: Kind<'_>) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.kind == kind);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn wrong(&self, what: &str) -> BadRule {
        let at = self.tokens.first().map_or(self.text.len(), |token| token.at);
        BadRule::at(self.text, at, what)
    }
}

fn check_in(text: &str, word: &str) -> Result<Rule, BadRule> {
    let at = word.as_ptr() as usize - text.as_ptr() as usize;
    let before = text.get(..at).map_or(0, |before| before.chars().count());
    check(word, before)
}

/// A single check that stands behind `before` characters.
pub(super) fn check(word: &str, before: usize) -> Result<Rule, BadRule> {
    single(word).map_err(|error| BadRule { column: error.column + before, ..error })
}

fn single(word: &str) -> Result<Rule, BadRule> {
    let wrong = |at: usize, what: &str| BadRule::at(word, at, what);
    match word {
        "@" => return Ok(Rule::Always),
        "!" => return Ok(Rule::Never),
        _ if word.contains(char::is_whitespace) => {
            return Err(wrong(0, "a list holds single checks, without 'and', 'or' and spaces"));
        }
        _ => {}
    }
    let (left, right) =
        word.split_once(':').ok_or_else(|| wrong(0, "a check has two parts, as role:member"))?;
    if let "http" | "https" = left {
        return Err(wrong(
            0,
            "checks that ask a remote server are not supported; say it with roles and facts, or \
             write \"!\" to refuse everybody",
        ));
    }
    let start = left.len() + 1;
    let wanted = Template::parse(right).map_err(|(at, what)| wrong(start + at, what))?;
    Ok(match left {
        "" => return Err(wrong(0, "expected a fact of the caller before ':'")),
        "rule" => Rule::Named(right.to_owned()),
        "role" => Rule::Role(wanted),
        _ => match literal(left).map_err(|what| wrong(0, what))? {
            Some(text) => Rule::Literal(text, wanted),
            None => Rule::Caller(left.to_owned(), wanted),
        },
    })
}

/// What Python's literals on the left side stand for; `None` for the name of a fact.
fn literal(left: &str) -> Result<Option<String>, &'static str> {
    if let "True" | "False" | "None" = left {
        return Ok(Some(left.to_owned()));
    }
    if left.starts_with(['\'', '"']) {
        return quoted(left).map(|text| Some(text.to_owned())).ok_or(
            "a text before ':' stands between two quotation marks and holds none, no '\\' \
                    and no ':'",
        );
    }
    if left.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
        let number = left.parse::<i64>().ok().filter(|number| number.to_string() == left);
        return match number {
            Some(_) => Ok(Some(left.to_owned())),
            None => Err("a number before ':' is a whole one; write others as '1.5'"),
        };
    }
    let name = |c: char| c.is_alphanumeric() || "_.-".contains(c);
    match left.chars().all(name) {
        true => Ok(None),
        false => Err("before ':' stands the name of a fact, or a text such as 'public'"),
    }
}

fn quoted(left: &str) -> Option<&str> {
    let mark = left.chars().next()?;
    let inner = left.strip_prefix(mark)?.strip_suffix(mark)?;
    (!inner.contains([mark, '\\'])).then_some(inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_rule_is_told_with_its_place() {
        let cases = [
            (" ", "at character 2: expected a check"),
            ("role:a role:b", "at character 8: expected 'and' or 'or'"),
            ("role:a and", "at character 11: expected a check"),
            ("(role:a", "at character 8: expected 'and', 'or' or ')'"),
            ("role:a)", "at character 7: expected 'and' or 'or'"),
            ("() or role:a", "at character 2: expected a check"),
            ("role:ä or member", "at character 11: a check has two parts"),
            ("'role:a'", "at character 1: a text before ':'"),
            ("role:a or x:%(y)d", "at character 13: '%' begins a fact"),
            ("role:a or https://pdp/%(id)s", "at character 11: checks that ask a remote server"),
            ("1.50:%(size)s", "at character 1: a number"),
            ("a+b:c", "at character 1: before ':'"),
            (":c", "at character 1: expected a fact"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn nothing_is_nested_without_end() {
        let parentheses = format!("{}role:a{}", "(".repeat(100_000), ")".repeat(100_000));
        for text in [parentheses, "not ".repeat(100_000) + "role:a"] {
            assert!(text.parse::<Rule>().unwrap_err().what.contains("nested too deep"));
        }
    }

    /// Words that a check may consist of, and no other.
    fn rules() -> impl Strategy<Value = Rule> {
        let template = prop::collection::vec(
            prop_oneof!["[a-z%:(]{0,5}[a-z]".prop_map(|t| t), "[a-z_.]{1,9}".prop_map(|n| n)],
            1..4,
        )
        .prop_map(|pieces| {
            use super::super::template::Piece;
            // Facts and texts in turn: two texts side by side read back as one.
            let piece = |(n, text)| if n % 2 == 0 { Piece::Fact(text) } else { Piece::Text(text) };
            Template(pieces.into_iter().enumerate().map(piece).collect())
        });
        let leaf = prop_oneof![
            Just(Rule::Always),
            Just(Rule::Never),
            template.clone().prop_map(Rule::Role),
            "[a-z_:]{1,9}".prop_map(Rule::Named),
            ("x_[a-z_.]{1,9}", template.clone()).prop_map(|(f, t)| Rule::Caller(f, t)),
            ("[a-zA-Z0-9']{0,5}", template).prop_map(|(l, t)| Rule::Literal(l, t)),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|rule| Rule::Not(Box::new(rule))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Rule::All),
                prop::collection::vec(inner, 2..4).prop_map(Rule::Any),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_the_same(rule in rules()) {
            prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
        }

        #[test]
        fn no_text_ends_in_a_panic(text in "\\PC{0,60}") {
            let _ = text.parse::<Rule>();
        }

        #[test]
        fn no_jumble_of_words_ends_in_a_panic(
            words in prop::collection::vec(
                prop::sample::select(
                    &["(", ")", "and", "or", "not", "role:a", "@", "!", "%", "'a':%(b)s", ":", "ä"][..]
                ),
                0..12,
            ),
            space in prop::sample::select(&["", " "][..]),
        ) {
            if let Ok(rule) = words.join(space).parse::<Rule>() {
                prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
            }
        }
    }
}
