//! Configuration files as OpenStack's services read them: `glance-api.conf` works as it is.
//!
//! A [`Config`] is what all files say, the later over the earlier. Each part of the product reads
//! its own options from it, with their defaults, where it uses them: an option is one line there.
//! What nobody has read at the end is what this product does not know ([`Config::unread`]).
//!
//! Reference: "Configuration files" of oslo.config (`oslo_config/cfg.py`, `iniparser.py`), whose
//! format no crate reads: values go on in indented lines, options repeat, and `$option` stands for
//! another option's value.

mod companions;
mod environment;
mod error;
mod files;
mod parse;
mod search;
mod section;
mod substitute;
mod value;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

pub use companions::with_companions;
pub use error::{Error, Result};
pub use search::search_folders;
pub use section::Section;
pub use value::Value;

/// The section whose options belong to no other.
pub const DEFAULT: &str = "DEFAULT";

/// Where an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// In a variable of the environment, of this name.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{}, line {line}", file.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
        }
    }
}

/// One time that an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    value: String,
    place: Place,
}

/// The options of one section.
#[derive(Debug)]
struct Options {
    /// The section's name as it was written first.
    name: String,
    /// By option, in the order of the files; the last one counts.
    given: BTreeMap<String, Vec<Given>>,
}

/// What all configuration files say, and the environment.
#[derive(Debug, Default)]
pub struct Config {
    /// By the names that [`folded`] makes of those of sections.
    sections: BTreeMap<String, Options>,
    read: RefCell<BTreeSet<(String, String)>>,
}

/// Names of sections are the same in capitals, but for `DEFAULT` (`_normalize_group_name` of
/// oslo.config). Those of options are not.
fn folded(section: &str) -> Cow<'_, str> {
    match section {
        DEFAULT => DEFAULT.into(),
        other => other.to_lowercase().into(),
    }
}

impl Config {
    /// A section; one that no file has is empty.
    pub fn section<'a>(&'a self, name: &'a str) -> Section<'a> {
        Section::new(self, name)
    }

    /// An option that has had several names, each with its section: the first that is given.
    /// Errors: `Value`.
    pub fn first<T: Value>(&self, names: &[(&str, &str)]) -> Result<Option<T>> {
        let mut given = names.iter().map(|(section, option)| self.section(section).get(option));
        given.find_map(Result::transpose).transpose()
    }

    /// The section `[DEFAULT]`.
    pub fn default_section(&self) -> Section<'_> {
        self.section(DEFAULT)
    }

    /// Whether any file has this section.
    pub fn has_section(&self, name: &str) -> bool {
        self.sections.contains_key(&*folded(name))
    }

    /// The names of all sections as they were written.
    pub fn section_names(&self) -> impl Iterator<Item = &str> {
        self.sections.values().map(|options| options.name.as_str())
    }

    /// Options that nobody has read, as `section`, `option` and where it is: known to Glance
    /// perhaps, but not used here.
    pub fn unread(&self) -> Vec<(&str, &str, &Place)> {
        let read = self.read.borrow();
        let all = self.sections.values().flat_map(|options| {
            options.given.iter().filter_map(|(option, given)| {
                given.last().map(|given| (options.name.as_str(), option.as_str(), &given.place))
            })
        });
        all.filter(|(section, option, _)| {
            !read.contains(&(folded(section).into_owned(), (*option).to_owned()))
        })
        .collect()
    }

    fn add(&mut self, section: &str, option: &str, given: Given) {
        let new = || Options { name: section.to_owned(), given: BTreeMap::new() };
        let options = self.sections.entry(folded(section).into_owned()).or_insert_with(new);
        options.given.entry(option.to_owned()).or_default().push(given);
    }

    fn given(&self, section: &str, option: &str) -> Option<&[Given]> {
        let section = folded(section);
        let given = self.sections.get(&*section)?.given.get(option)?;
        self.read.borrow_mut().insert((section.into_owned(), option.to_owned()));
        Some(given)
    }
}
