//! `/etc/network/interfaces` and what it includes: `interfaces(5)` of ifupdown.
//!
//! The text is cut into pieces, each with its exact bytes, so that what is not removed is left as
//! it was.

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// What it says.
    pub(crate) meaning: Meaning,
    /// Its text, with the line ends.
    pub(crate) text: String,
}

/// What a part of the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// `auto`, `allow-hotplug`: these interfaces come up.
    Up(Vec<String>),
    /// `iface`, with its options.
    Interface(Interface),
    /// `source`, `source-directory`: the pattern or directory.
    Source(String),
    /// Comments, empty lines, mappings and whatever else.
    Other,
}

/// An `iface` stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    /// `eth0`
    pub(crate) name: String,
    /// `inet`, `inet6`
    pub(crate) family: String,
    /// `dhcp`, `static`, `manual`, `loopback`, `auto`
    pub(crate) method: String,
    /// The names of its options: `address`, `hwaddress`.
    pub(crate) options: Vec<String>,
}

/// Words that begin a new stanza.
const KEYWORDS: &[&str] =
    &["iface", "auto", "mapping", "source", "source-directory", "rename", "template"];

/// Cuts a file into its pieces; joined they are the file again.
pub(crate) fn parse(text: &str) -> Vec<Piece> {
    let lines = logical_lines(text);
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let words = words(&lines[at]);
        let end = match words.first() {
            Some(&"iface" | &"mapping") => end_of_stanza(&lines, at),
            _ => at + 1,
        };
        pieces.push(Piece {
            meaning: meaning(&words, &lines[at + 1..end]),
            text: lines[at..end].concat(),
        });
        at = end;
    }
    pieces
}

/// The text of some pieces.
pub(crate) fn join(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

/// Whether there is nothing but comments.
pub(crate) fn is_void(text: &str) -> bool {
    text.lines().all(|line| words(line).is_empty())
}

fn meaning(words: &[&str], options: &[String]) -> Meaning {
    match words {
        ["iface", name, family, method, ..] => Meaning::Interface(Interface {
            name: (*name).into(),
            family: (*family).into(),
            method: (*method).into(),
            options: options.iter().filter_map(|line| first_word(line)).collect(),
        }),
        ["auto", names @ ..] => Meaning::Up(owned(names)),
        [keyword, names @ ..] if keyword.starts_with("allow-") => Meaning::Up(owned(names)),
        ["source" | "source-directory", pattern] => Meaning::Source((*pattern).into()),
        _ => Meaning::Other,
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

/// Lines with their ends; a backslash before the end joins the next one.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_continued = false;
    for line in text.split_inclusive('\n') {
        match lines.last_mut() {
            Some(last) if is_continued => last.push_str(line),
            _ => lines.push(line.into()),
        }
        is_continued = line.trim_end_matches(['\n', '\r']).ends_with('\\');
    }
    lines
}

fn words(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| *word != "\\")
        .map(|word| word.trim_end_matches('\\'))
        .collect();
    if words.first().is_some_and(|word| word.starts_with('#')) { Vec::new() } else { words }
}

fn first_word(line: &str) -> Option<String> {
    words(line).first().map(|&word| word.into())
}

/// The line after the last option; comments and empty lines after that belong to nobody.
fn end_of_stanza(lines: &[String], begin: usize) -> usize {
    let mut end = begin + 1;
    for (number, line) in lines.iter().enumerate().skip(begin + 1) {
        match words(line).first() {
            Some(word) if is_keyword(word) => break,
            Some(_) => end = number + 1,
            None => {}
        }
    }
    end
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word) || word.starts_with("allow-") || word.starts_with("no-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_ends_with_its_last_option() {
        let text = "auto eth0 \\\n  eth1\niface eth0 inet static\n  # mine\n  address 10.0.2.77/24\n\n# next\nsource a/*\n";
        let pieces = parse(text);
        assert_eq!(join(&pieces), text);
        assert_eq!(pieces[0].meaning, Meaning::Up(vec!["eth0".into(), "eth1".into()]));
        let Meaning::Interface(interface) = &pieces[1].meaning else { panic!("{pieces:?}") };
        assert_eq!((interface.name.as_str(), interface.method.as_str()), ("eth0", "static"));
        assert_eq!(interface.options, ["address"]);
        assert!(pieces[1].text.ends_with("/24\n"));
        assert_eq!(pieces[4].meaning, Meaning::Source("a/*".into()));
    }

    proptest::proptest! {
        #[test]
        fn pieces_are_the_whole_file(text in "((auto|iface|source|#| address|mapping)( [a-z0-9/:*]{0,6}){0,3}\\\\?\r?\n?){0,12}") {
            proptest::prop_assert_eq!(join(&parse(&text)), text);
        }
    }
}
