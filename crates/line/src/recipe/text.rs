//! The text that a recipe is read from: its file, and what `--set` added.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// The recipe's file and the additions after it, as one text, so that one offset names a place in
/// any of them.
#[derive(Debug)]
pub(super) struct Text {
    path: PathBuf,
    joined: String,
    /// Where each addition starts in `joined`.
    additions: Vec<usize>,
    file_length: usize,
    /// The file and each addition, with blanks before it that make a parser's offsets those of
    /// `joined`.
    padded: Vec<String>,
}

/// A place in the text, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or `--set`.
    pub origin: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The whole line.
    pub excerpt: String,
    /// How many characters of it are meant; at least one.
    pub width: usize,
}

impl Text {
    pub(super) fn new(path: &Path, content: String, additions: &[String]) -> Self {
        let file_length = content.len();
        let mut padded = vec![content.clone()];
        let mut joined = content;
        let mut starts = Vec::new();
        for addition in additions {
            joined.push('\n');
            starts.push(joined.len());
            padded.push(" ".repeat(joined.len()) + addition);
            joined.push_str(addition);
        }
        Self { path: path.to_owned(), joined, additions: starts, file_length, padded }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The documents to parse: the file, then each addition.
    pub(super) fn documents(&self) -> impl Iterator<Item = &str> {
        self.padded.iter().map(String::as_str)
    }

    /// Where an offset lies.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let (origin, part) = self.part_of(span.start);
        let text = &self.joined[part.clone()];
        let start = floor(text, span.start.saturating_sub(part.start).min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor(text, span.end.saturating_sub(part.start).clamp(start, line_end));
        Place {
            origin,
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            excerpt: text[line_start..line_end].trim_end().to_owned(),
            width: text[start..end].trim_end().chars().count().max(1),
        }
    }

    fn part_of(&self, offset: usize) -> (String, Range<usize>) {
        match self.additions.iter().rposition(|start| *start <= offset) {
            Some(index) => ("--set".to_owned(), self.addition(index)),
            None => (self.path.display().to_string(), 0..self.file_length),
        }
    }

    fn addition(&self, index: usize) -> Range<usize> {
        let end = self.additions.get(index + 1).map_or(self.joined.len(), |next| next - 1);
        self.additions[index]..end
    }
}

/// The start of the character that `offset` lies in.
fn floor(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Text {
        Text::new(
            Path::new("r.toml"),
            "[image]\nname = \"ä\" # x\n".to_owned(),
            &["a.b = 1".to_owned(), "c = 2".to_owned()],
        )
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let place = text().place(19..20);
        assert_eq!((place.line, place.column), (2, 11));
        assert_eq!(place.excerpt, "name = \"ä\" # x");
        assert_eq!(place.origin, "r.toml");
    }

    #[test]
    fn a_place_in_an_addition_names_the_argument() {
        let text = text();
        let start = text.documents().last().unwrap().find('c').unwrap();
        let place = text.place(start..start + 1);
        assert_eq!((place.origin.as_str(), place.line, place.column), ("--set", 1, 1));
    }

    #[test]
    fn a_place_at_the_very_end_is_there() {
        let place = text().place(24..900);
        assert_eq!(place.width, 1);
    }
}
