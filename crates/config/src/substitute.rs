//! `$option`, `${option}` and `${section.option}` stand for another option's value, with or without
//! braces; `$$` and `\$` for `$`.

use crate::Config;

/// Options that refer to each other are followed this far: further is a circle.
const DEPTH: usize = 8;

/// The value with references replaced. A reference to an option that no file has stays as it is:
/// what looks like one may be part of a password.
pub(crate) fn substitute(config: &Config, section: &str, value: &str) -> String {
    replace(config, section, value, DEPTH)
}

fn replace(config: &Config, section: &str, value: &str, depth: usize) -> String {
    let mut replaced = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let escaped = before.strip_suffix('\\').map(|before| (before, after));
        let doubled = || after.strip_prefix('$').map(|after| (before, after));
        if let Some((before, after)) = escaped.or_else(doubled) {
            replaced.push_str(before);
            replaced.push('$');
            rest = after;
            continue;
        }
        replaced.push_str(before);
        let found = references(after).find_map(|(name, end)| {
            let found = look_up(config, section, name)?;
            Some((replace(config, section, found, depth.checked_sub(1)?), end))
        });
        match found {
            Some((found, end)) => {
                replaced.push_str(&found);
                rest = &after[end..];
            }
            None => {
                replaced.push('$');
                rest = after;
            }
        }
    }
    replaced.push_str(rest);
    replaced
}

/// What the start of `text` may name, and where what follows it begins; without braces a point may
/// belong to the name or not.
fn references(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let braced = text.strip_prefix('{').and_then(|inner| inner.split_once('}'));
    let braced = braced.map(|(name, _)| (name, name.len() + 2));
    let bare = [".", ""].map(|more| {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(c);
        let name = &text[..text.find(|c| !is_of_name(c)).unwrap_or(text.len())];
        (name, name.len())
    });
    braced.into_iter().chain(bare).filter(|(name, _)| !name.is_empty())
}

fn look_up<'a>(config: &'a Config, section: &str, name: &str) -> Option<&'a str> {
    let last = |section: &str, option: &str| {
        config.given(section, option).and_then(<[_]>::last).map(|given| given.value.as_str())
    };
    match name.split_once('.') {
        Some((section, option)) => last(section, option),
        None => last(section, name).or_else(|| last(crate::DEFAULT, name)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn references_are_replaced_and_other_dollars_stay() {
        let mut config = Config::default();
        let text = "state = /srv\nname = glance\n[store]\ndir = ${state}/images\nloop = $loop\n";
        config.add_text(text, Path::new("f")).unwrap();
        let cases = [
            ("$state/x", "/srv/x"),
            ("${store.dir}/$name", "/srv/images/glance"),
            ("$store.dir", "/srv/images"),
            ("$name.qcow2", "glance.qcow2"),
            ("pa$$word", "pa$word"),
            ("pa\\$word \\$name", "pa$word $name"),
            ("pa$sword", "pa$sword"),
            ("$", "$"),
            ("${open", "${open"),
        ];
        for (value, expected) in cases {
            assert_eq!(substitute(&config, "store", value), expected, "{value}");
        }
        assert_eq!(substitute(&config, "store", "$loop"), "$loop");
    }
}
