//! The serial console: its lines as they come, and its last screen for an error.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of the console is kept.
const KEPT: usize = 64 << 10;

/// What a terminal shows at once, and a person reads of an error.
const LINES: usize = 25;

/// The end of what a console said. Both the reading thread and the owner hold it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    pub(super) fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }

    pub(super) fn screen(&self) -> Screen {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        Screen::of(&String::from_utf8_lossy(&bytes))
    }
}

/// The last lines of a serial console, without control characters. Displays as nothing when the
/// console was silent, else as an indented block on lines of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen(Vec<String>);

impl Screen {
    /// The last 25 lines of a text that are not empty.
    pub fn of(text: &str) -> Self {
        let lines: Vec<String> =
            text.lines().map(readable).filter(|line| !line.trim().is_empty()).collect();
        Screen(lines[lines.len().saturating_sub(LINES)..].to_vec())
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(formatter, "\nthe last the serial console showed:")?;
        self.0.iter().try_for_each(|line| write!(formatter, "\n    {line}"))
    }
}

/// A text of several lines, each of them [readable].
pub(crate) fn readable_lines(text: &str) -> String {
    text.lines().map(readable).collect::<Vec<_>>().join("\n")
}

/// A line without what would move a terminal's cursor or change its colours: a guest must not
/// write on the operator's screen.
pub(super) fn readable(line: &str) -> String {
    let mut characters = line.chars().peekable();
    let mut clean = String::with_capacity(line.len());
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => clean.push(' '),
            _ if character.is_control() => {}
            _ => clean.push(character),
        }
    }
    clean
}

/// ECMA-48: `ESC [`, parameters, and a final byte from `@` to `~`; any other escape is two bytes.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if characters.next() == Some('[') {
        characters.find(|character| ('@'..='~').contains(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_the_last_lines_without_escapes() {
        let text: String = (0..40).map(|n| format!("\u{1b}[0;32m{n}\u{1b}[0m\r\n\r\n")).collect();
        let screen = Screen::of(&text);
        assert_eq!(screen.lines().len(), LINES);
        assert_eq!(screen.lines()[LINES - 1], "39");
    }

    #[test]
    fn a_tail_keeps_an_unfinished_line() {
        let tail = Tail::default();
        tail.add(b"one\nlogin: ");
        assert_eq!(tail.screen().lines(), ["one", "login: "]);
    }

    #[test]
    fn a_tail_forgets_its_beginning() {
        let tail = Tail::default();
        tail.add(&vec![b'a'; KEPT]);
        tail.add(b"\nend");
        assert_eq!(tail.screen().lines()[1], "end");
        assert_eq!(tail.0.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn a_silent_console_adds_nothing_to_an_error() {
        assert_eq!(Screen::of("\r\n \r\n").to_string(), "");
    }
}
