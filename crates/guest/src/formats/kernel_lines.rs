//! The kernel's command line, in each of the files that may hold it.

use std::fmt::Write;

/// How a file holds command lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `/etc/default/grub`: shell variables, from which `grub.cfg` is made.
    Defaults,
    /// `grub.cfg`, `menu.lst`: `linux /vmlinuz … `, `kernel /vmlinuz …`.
    Grub,
    /// Boot loader entries (<https://uapi-group.org/specifications/specs/boot_loader_specification>):
    /// `options …`.
    Entry,
    /// `grubenv`: `kernelopts=…` in a block of fixed length.
    Environment,
    /// `extlinux.conf`: `append …`.
    Extlinux,
    /// `/etc/kernel/cmdline`: nothing else.
    Plain,
}

/// A GRUB environment block is this long, filled up with `#`: grub-editenv(1).
const BLOCK: usize = 1024;

/// Passes each command line through a function. The flag is whether it holds additions for the
/// usual boot only, which add to another one's.
pub(crate) fn map(
    format: Format,
    text: &str,
    change: &mut dyn FnMut(&str, bool) -> String,
) -> String {
    match format {
        Format::Plain => with_line_end(&change(text.trim(), false), text),
        Format::Environment => environment(text, change),
        _ => text.split_inclusive('\n').map(|line| changed(format, line, change)).collect(),
    }
}

fn changed(format: Format, line: &str, change: &mut dyn FnMut(&str, bool) -> String) -> String {
    let body = line.trim_end_matches(['\n', '\r']);
    let Some((start, arguments, end, is_addition)) = split(format, body) else {
        return line.into();
    };
    let new = change(arguments, is_addition);
    if new == arguments {
        return line.into();
    }
    with_line_end(&format!("{start}{new}{end}"), line)
}

fn with_line_end(new: &str, old: &str) -> String {
    let end = if old.ends_with('\n') { "\n" } else { "" };
    format!("{new}{end}")
}

/// What is before the arguments, they themselves, what is after them.
fn split(format: Format, line: &str) -> Option<(&str, &str, &str, bool)> {
    match format {
        Format::Defaults => {
            let (key, value) = line.split_once('=')?;
            let is_addition = match key.trim() {
                "GRUB_CMDLINE_LINUX" => false,
                "GRUB_CMDLINE_LINUX_DEFAULT" => true,
                _ => return None,
            };
            let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
            let inner = match quote {
                Some(quote) => value.strip_prefix(quote)?.rsplit_once(quote)?.0,
                None => value.split_whitespace().next().unwrap_or_default(),
            };
            around(line, inner).map(|(start, end)| (start, inner, end, is_addition))
        }
        Format::Grub => grub_arguments(line).map(|(start, inner, end)| (start, inner, end, false)),
        Format::Entry => {
            after_word(line, "options").map(|(start, inner)| (start, inner, "", false))
        }
        Format::Extlinux => {
            let word = line.split_whitespace().next()?;
            let is_append = word.eq_ignore_ascii_case("append");
            let (start, inner) = is_append.then(|| after_word(line, word))??;
            Some((start, inner, "", false))
        }
        Format::Environment | Format::Plain => None,
    }
}

/// `linux`, `linux16`, `linuxefi` and their kernel, or the variable that entries refer to. Lines
/// without a root are memory tests and the like.
fn grub_arguments(line: &str) -> Option<(&str, &str, &str)> {
    let mut words = line.split_whitespace();
    match words.next()? {
        command @ ("linux" | "linux16" | "linuxefi" | "kernel") => {
            let (_, rest) = after_word(line, command)?;
            let (_, arguments) = after_word(rest, words.next()?)?;
            let (start, end) = around(line, arguments)?;
            arguments.contains("root=").then_some((start, arguments, end))
        }
        "set" => {
            let assignment = words.next()?;
            let is_options = ["kernelopts=", "default_kernelopts="]
                .iter()
                .any(|start| assignment.starts_with(start));
            let (start, rest) = line.split_once('"').filter(|_| is_options)?;
            let arguments = rest.strip_suffix('"')?;
            Some((&line[..=start.len()], arguments, "\""))
        }
        _ => None,
    }
}

/// The line up to its arguments, and the arguments, after a first word.
fn after_word<'a>(line: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let rest = line.trim_start().strip_prefix(word)?;
    let arguments = rest.trim_start();
    (rest.len() > arguments.len()).then(|| (&line[..line.len() - arguments.len()], arguments))
}

/// What is before and after a part of a line.
fn around<'a>(line: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let start = part.as_ptr().addr().checked_sub(line.as_ptr().addr())?;
    Some((line.get(..start)?, line.get(start + part.len()..)?))
}

fn environment(text: &str, change: &mut dyn FnMut(&str, bool) -> String) -> String {
    let mut new: String = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("##"))
        .map(|line| match line.strip_prefix("kernelopts=") {
            Some(arguments) => format!("kernelopts={}\n", change(arguments.trim_end(), false)),
            None => line.into(),
        })
        .collect();
    if new == text.trim_end_matches('#') || new.len() > BLOCK {
        return text.into();
    }
    while new.len() < BLOCK {
        let _ = new.write_char('#');
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_x(format: Format, text: &str) -> String {
        map(format, text, &mut |arguments, is_addition| {
            if is_addition { arguments.into() } else { format!("{arguments} x") }
        })
    }

    #[test]
    fn each_file_gets_the_word_where_it_belongs() {
        for (format, text, expected) in [
            (
                Format::Defaults,
                "A=1\nGRUB_CMDLINE_LINUX=\"a\" # c\n",
                "A=1\nGRUB_CMDLINE_LINUX=\"a x\" # c\n",
            ),
            (
                Format::Defaults,
                "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n",
                "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n",
            ),
            (
                Format::Grub,
                "\tlinux16 /vmlinuz root=/dev/a ro\n",
                "\tlinux16 /vmlinuz root=/dev/a ro x\n",
            ),
            (Format::Grub, "linux16 /boot/memtest86+.bin\n", "linux16 /boot/memtest86+.bin\n"),
            (Format::Grub, "  set kernelopts=\"root=a\"\n", "  set kernelopts=\"root=a x\"\n"),
            (Format::Grub, "linux\t/vmlinuz root=a", "linux\t/vmlinuz root=a x"),
            (Format::Entry, "title x\noptions root=a\n", "title x\noptions root=a x\n"),
            (Format::Extlinux, "  APPEND root=a\n", "  APPEND root=a x\n"),
            (Format::Plain, "root=a\n", "root=a x\n"),
        ] {
            assert_eq!(with_x(format, text), expected, "{format:?}");
        }
    }

    #[test]
    fn an_environment_block_keeps_its_length() {
        let head = "# GRUB Environment Block\nsaved_entry=a\nkernelopts=root=a\n";
        let text = format!("{head:#<1024}");
        let new = with_x(Format::Environment, &text);
        assert_eq!(new.len(), 1024);
        assert!(
            new.starts_with("# GRUB Environment Block\nsaved_entry=a\nkernelopts=root=a x\n####")
        );
        let same = map(Format::Environment, &text, &mut |arguments, _| arguments.into());
        assert_eq!(same, text);
    }

    #[test]
    fn a_grubenv_of_an_older_installer_is_padded_with_zeros() {
        let mut text = String::from("# GRUB Environment Block\nsaved_entry=a\n");
        text.push_str(&"\0".repeat(1024 - text.len()));
        assert_eq!(with_x(Format::Environment, &text), text);
    }

    proptest::proptest! {
        #[test]
        fn reading_changes_nothing(text in "((linux|kernel|options|append|GRUB_CMDLINE_LINUX=|set)[ =\"a-z/\n\r]{0,12}){0,6}") {
            for format in [Format::Defaults, Format::Grub, Format::Entry, Format::Extlinux] {
                let same = map(format, &text, &mut |arguments, _| arguments.into());
                proptest::prop_assert_eq!(&same, &text);
            }
        }
    }
}
