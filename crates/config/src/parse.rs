//! Lines become options.

use std::path::Path;

use crate::{DEFAULT, Error, Given, Place, Result};

/// An option whose value may go on in the next line.
struct Open<'a> {
    option: &'a str,
    given: Given,
}

/// Tells `each` of every option, with its section, in the order of the lines.
pub(crate) fn lines(
    text: &str,
    file: &Path,
    mut each: impl FnMut(&str, &str, Given),
) -> Result<()> {
    let mut section = DEFAULT;
    let mut open: Option<Open<'_>> = None;
    for (number, line) in text.lines().enumerate() {
        let place = || Place::File { file: file.to_owned(), line: number + 1 };
        let wrong = |what| Error::Syntax { place: place(), what };
        let content = line.trim();
        if content.starts_with(['#', ';']) {
            continue;
        }
        let goes_on = line.starts_with([' ', '\t']) && !content.is_empty();
        if goes_on {
            let open = open.as_mut().ok_or_else(|| {
                wrong("an indented line goes on with the value above it, and there is none")
            })?;
            open.given.value.push('\n');
            open.given.value.push_str(content);
            continue;
        }
        if let Some(done) = open.take() {
            each(section, done.option, done.given);
        }
        if content.is_empty() {
            continue;
        }
        if let Some(rest) = content.strip_prefix('[') {
            section = rest.strip_suffix(']').ok_or_else(|| wrong("a section ends with ']'"))?;
            if section.is_empty() {
                return Err(wrong("a section has a name between '[' and ']'"));
            }
            continue;
        }
        let (option, value) = content
            .split_once(['=', ':'])
            .ok_or_else(|| wrong("expected '[section]' or 'option = value'"))?;
        if option.trim().is_empty() {
            return Err(wrong("expected the option's name before '='"));
        }
        let value = unquoted(value.trim()).to_owned();
        open = Some(Open { option: option.trim(), given: Given { value, place: place() } });
    }
    if let Some(done) = open {
        each(section, done.option, done.given);
    }
    Ok(())
}

/// Quotation marks around a whole value are not part of it.
fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|&mark| value.strip_prefix(mark)?.strip_suffix(mark))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String, String)>> {
        let mut found = Vec::new();
        lines(text, Path::new("glance-api.conf"), |section, option, given| {
            found.push((section.to_owned(), option.to_owned(), given.value));
        })?;
        Ok(found)
    }

    fn all(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        let own = |&(s, o, v): &(&str, &str, &str)| (s.to_owned(), o.to_owned(), v.to_owned());
        expected.iter().map(own).collect()
    }

    #[test]
    fn options_are_read_as_oslo_config_reads_them() {
        let text = "\
# a comment
a = 1
b: two words
[glance_store]
  ; a comment, indented
stores = file,
   http
url = mysql+pymysql://glance:a=b:c@db/glance
quoted = \" spaces \"
empty =
[DEFAULT]
a = 2
";
        let expected = all(&[
            ("DEFAULT", "a", "1"),
            ("DEFAULT", "b", "two words"),
            ("glance_store", "stores", "file,\nhttp"),
            ("glance_store", "url", "mysql+pymysql://glance:a=b:c@db/glance"),
            ("glance_store", "quoted", " spaces "),
            ("glance_store", "empty", ""),
            ("DEFAULT", "a", "2"),
        ]);
        assert_eq!(parsed(text).unwrap(), expected);
    }

    #[test]
    fn wrong_lines_are_told_with_their_place() {
        let cases = [
            ("a = 1\n[open\n", "glance-api.conf, line 2: a section ends with ']'"),
            ("[]\n", "line 1: a section has a name"),
            ("\n\nword\n", "line 3: expected '[section]' or 'option = value'"),
            (" = 1", "line 1: an indented line goes on"),
            ("= 1", "line 1: expected the option's name"),
        ];
        for (text, expected) in cases {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
