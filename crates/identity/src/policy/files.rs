//! Files of rules: `policy.yaml`, and `policy.json`, which is YAML too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::rule::from_list;
use super::{Error, Rule, Settings};

/// The files that hold, the later over the earlier, each with what shows that it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Files {
    /// What is there now.
    pub(super) fn look(settings: &Settings) -> Result<Self, Error> {
        let mut paths: Vec<_> = settings.find(&settings.file).into_iter().collect();
        for folder in settings.folders.iter().filter_map(|folder| settings.find(folder)) {
            paths.extend(in_folder(&folder)?);
        }
        let state = |path: &Path| {
            let about = fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        Ok(Self(paths.into_iter().map(|path| (path.clone(), state(&path))).collect()))
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(path, _)| path.as_path())
    }

    /// The rules of all files. Errors: `Unreadable`, `Syntax`, `Rule`.
    pub(super) fn read(&self) -> Result<BTreeMap<String, Rule>, Error> {
        let mut rules = BTreeMap::new();
        for path in self.paths() {
            let text = fs::read_to_string(path).map_err(unreadable(path))?;
            rules.extend(parse(&text, path)?);
        }
        Ok(rules)
    }
}

/// The files of a folder by name, hidden ones and folders left out.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(unreadable(folder))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let hidden = |path: &Path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let mut files = paths.map_err(unreadable(folder))?;
    files.retain(|path| path.is_file() && !hidden(path));
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |cause| Error::Unreadable { path: path.to_owned(), cause }
}

/// A rule as a file gives it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Text(String),
    List(Vec<Inner>),
}

/// A part of the older form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inner {
    Check(String),
    Checks(Vec<String>),
}

fn parse(text: &str, path: &Path) -> Result<Vec<(String, Rule)>, Error> {
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
    let document: Option<BTreeMap<String, Spanned<Given>>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|why| {
            let why = why.to_string();
            let why = why.lines().next().unwrap_or_default().to_owned();
            Error::Syntax { path: path.to_owned(), why }
        })?;
    let rule = |(rule, given): (String, Spanned<Given>)| match given.value.rule() {
        Ok(parsed) => Ok((rule, parsed)),
        Err(why) => {
            let line = given.referenced.line();
            Err(Error::Rule { path: path.to_owned(), line, rule, why })
        }
    };
    document.unwrap_or_default().into_iter().map(rule).collect()
}

impl Given {
    fn rule(self) -> Result<Rule, super::BadRule> {
        match self {
            Self::Text(text) => text.parse(),
            Self::List(outer) => {
                let inner = |inner| match inner {
                    Inner::Check(check) => vec![check],
                    Inner::Checks(checks) => checks,
                };
                from_list(&outer.into_iter().map(inner).collect::<Vec<_>>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String)>, String> {
        let rules = parse(text, Path::new("policy.yaml")).map_err(|error| error.to_string())?;
        Ok(rules.into_iter().map(|(name, rule)| (name, rule.to_string())).collect())
    }

    #[test]
    fn yaml_and_json_are_read() {
        let texts = [
            "# mine\n\"get_image\": \"role:x or\n  role:y\"\nadd_image: [[role:x], role:y]\n",
            "get_image: >-\n  role:x\n  or role:y\nadd_image:\n- - role:x\n- - role:y\n",
            "{\"get_image\": \"!\", \"get_image\": \"role:x or role:y\",\n\t\"add_image\": [[\"role:x\"], [\"role:y\"]]}",
        ];
        let either = "(role:x or role:y)".to_owned();
        let expected = [("add_image".to_owned(), either.clone()), ("get_image".to_owned(), either)];
        for text in texts {
            assert_eq!(parsed(text).unwrap(), expected, "{text}");
        }
        for text in ["", "# nothing\n", "{}", "---\n"] {
            assert_eq!(parsed(text).unwrap(), [], "{text:?}");
        }
        assert_eq!(parsed("a: ''\nb: []\n").unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_rule_and_place() {
        let cases = [
            (
                "a: role:x\nb: role:x and\n",
                "policy.yaml, line 2: rule \"b\", at character 11: expected",
            ),
            ("a: 'https://pdp'\n", "line 1: rule \"a\", at character 1: checks that ask a remote"),
            ("- a\n", "the policy policy.yaml is no map of names to rules"),
            ("a: [\n", "the policy policy.yaml is no map"),
            ("a: null\n", "the policy policy.yaml is no map"),
            ("a: {b: c}\n", "the policy policy.yaml is no map"),
        ];
        for (text, expected) in cases {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
