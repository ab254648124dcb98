//! The file of protections, in the format of Python's configparser: sections in their order, with
//! `option = value` or `option: value`, comments after `#` or `;`, and values that go on in indented
//! lines. What `[DEFAULT]` says holds in every section that does not say it itself.

use std::collections::BTreeMap;

/// One section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) options: BTreeMap<String, String>,
}

/// The sections of a file. Errors: the line that can't be read.
pub(super) fn sections(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    let mut last: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let wrong = |why: &str| format!("line {}: {why}", number + 1);
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if sections.iter().any(|section| section.name == name) {
                return Err(wrong(&format!("there is another section [{name}]")));
            }
            sections.push(Section { name: name.to_owned(), ..Section::default() });
            last = None;
            continue;
        }
        let section = sections.last_mut().ok_or_else(|| wrong("no section begins before it"))?;
        if let Some(option) = last.as_ref().filter(|_| line.starts_with([' ', '\t'])) {
            let value = section.options.entry(option.clone()).or_default();
            value.push(',');
            value.push_str(content);
            continue;
        }
        let (option, value) =
            content.split_once(['=', ':']).ok_or_else(|| wrong("it has no '='"))?;
        let option = option.trim().to_lowercase();
        section.options.insert(option.clone(), value.trim().to_owned());
        last = Some(option);
    }
    Ok(with_defaults(sections))
}

fn with_defaults(mut sections: Vec<Section>) -> Vec<Section> {
    let Some(place) = sections.iter().position(|section| section.name == config::DEFAULT) else {
        return sections;
    };
    let defaults = sections.remove(place).options;
    for section in &mut sections {
        for (option, value) in &defaults {
            section.options.entry(option.clone()).or_insert_with(|| value.clone());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keep_their_order_and_take_defaults() {
        let text = "# who\n[DEFAULT]\nread = @\n[^b]\ncreate : a, b\n  c\n\n[a]\nRead =\n";
        let sections = sections(text).unwrap();
        let names: Vec<_> = sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["^b", "a"]);
        assert_eq!(sections[0].options["create"], "a, b,c");
        assert_eq!(sections[0].options["read"], "@");
        assert_eq!(sections[1].options["read"], "");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, line) in [("create = @\n", 1), ("[a]\nx\n", 2), ("[a]\n[b]\n[a]\n", 3)] {
            let why = sections(text).unwrap_err();
            assert!(why.starts_with(&format!("line {line}:")), "{why}");
        }
    }
}
