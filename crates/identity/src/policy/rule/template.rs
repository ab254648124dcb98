//! The right side of a check: text with facts of the target in it, as `%(project_id)s`.

use std::borrow::Cow;

use super::super::Target;

/// Text with facts of the target in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub(super) Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Fact(String),
}

/// What Python calls a fact that is known to be nothing.
const NONE: &str = "None";

impl Template {
    /// Whether `holds` is true of the text with all facts filled in; never, when one is not known.
    pub(super) fn render(&self, target: &Target<'_>, holds: impl FnOnce(&str) -> bool) -> bool {
        match self.filled(|name| target.fact(name).flatten()) {
            Some(text) => holds(&text),
            None => false,
        }
    }

    /// Whether the text with all facts filled in is this one. Here, and only here, a fact that is
    /// known to be nothing is `None`: a rule that says so asks for it.
    pub(super) fn is(&self, target: &Target<'_>, text: &str) -> bool {
        let fact = |name: &str| Some(target.fact(name)?.unwrap_or(Cow::Borrowed(NONE)));
        self.filled(fact).is_some_and(|filled| filled == text)
    }

    fn filled<'a>(
        &'a self,
        fact: impl Fn(&'a str) -> Option<Cow<'a, str>>,
    ) -> Option<Cow<'a, str>> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text.into()),
            [Piece::Fact(name)] => fact(name),
            pieces => {
                let mut whole = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => whole.push_str(text),
                        Piece::Fact(name) => whole.push_str(&fact(name)?),
                    }
                }
                Some(whole.into())
            }
        }
    }

    /// Reads it; an error says what is wrong and at which byte.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, &'static str)> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find('%') {
            plain.push_str(&rest[..at]);
            let here = text.len() - rest.len() + at;
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix('%') {
                plain.push('%');
                rest = after;
                continue;
            }
            let (name, after) = after
                .strip_prefix('(')
                .and_then(|after| after.split_once(')'))
                .and_then(|(name, after)| Some((name, after.strip_prefix('s')?)))
                .ok_or((here, "'%' begins a fact of the target, as in %(project_id)s"))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Fact(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }
}
