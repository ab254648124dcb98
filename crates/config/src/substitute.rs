//! `$option`, `${option}` and `${section.option}` stand for another option's value; `$$` for `$`.

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
        replaced.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix('$') {
            replaced.push('$');
            rest = after;
            continue;
        }
        match reference(after).and_then(|(name, end)| {
            let found = look_up(config, section, name)?;
            Some((replace(config, section, found, depth.checked_sub(1)?), end))
        }) {
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

/// The name at the start of `text`, and where what follows it begins.
fn reference(text: &str) -> Option<(&str, usize)> {
    let of_name = |text: &str| {
        text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
    };
    if let Some(braced) = text.strip_prefix('{') {
        let end = braced.find('}')?;
        return Some((&braced[..end], end + 2));
    }
    let end = of_name(text);
    (end > 0).then(|| (&text[..end], end))
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
            ("pa$$word", "pa$word"),
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
