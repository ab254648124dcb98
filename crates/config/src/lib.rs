//! Configuration files as OpenStack's services read them: `glance-api.conf` works as it is.
//!
//! A [`Config`] is what all files say, the later over the earlier. Each part of the product reads
//! its own options from it, with their defaults, where it uses them: an option is one line there.
//! What nobody has read at the end is what this product does not know ([`Config::unread`]).
//!
//! Reference: "Configuration files" of oslo.config (`oslo_config/cfg.py`, `iniparser.py`), whose
//! format no crate reads: values go on in indented lines, options repeat, and `$option` stands for
//! another option's value.

mod error;
mod files;
mod parse;
mod search;
mod section;
mod substitute;
mod value;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use error::{Error, Result};
pub use search::search_folders;
pub use section::Section;
pub use value::Value;

/// The section whose options belong to no other.
pub const DEFAULT: &str = "DEFAULT";

/// Where an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// One time that an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    value: String,
    place: Place,
}

/// What all configuration files say.
#[derive(Debug, Default)]
pub struct Config {
    /// By section and option, in the order of the files; the last one counts.
    sections: BTreeMap<String, BTreeMap<String, Vec<Given>>>,
    read: RefCell<BTreeSet<(String, String)>>,
}

impl Config {
    /// A section; one that no file has is empty. Names of sections are case-sensitive, as in
    /// oslo.config.
    pub fn section<'a>(&'a self, name: &'a str) -> Section<'a> {
        Section::new(self, name)
    }

    /// The section `[DEFAULT]`.
    pub fn default_section(&self) -> Section<'_> {
        self.section(DEFAULT)
    }

    /// Whether any file has this section.
    pub fn has_section(&self, name: &str) -> bool {
        self.sections.contains_key(name)
    }

    /// The names of all sections, sorted.
    pub fn section_names(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// Options that nobody has read, as `section`, `option` and where it is: known to Glance
    /// perhaps, but not used here.
    pub fn unread(&self) -> Vec<(&str, &str, &Place)> {
        let read = self.read.borrow();
        let all = self.sections.iter().flat_map(|(section, options)| {
            options.iter().filter_map(move |(option, given)| {
                given.last().map(|given| (section.as_str(), option.as_str(), &given.place))
            })
        });
        all.filter(|(section, option, _)| {
            !read.contains(&((*section).to_owned(), (*option).to_owned()))
        })
        .collect()
    }

    fn given(&self, section: &str, option: &str) -> Option<&[Given]> {
        let given = self.sections.get(section)?.get(option)?;
        self.read.borrow_mut().insert((section.to_owned(), option.to_owned()));
        Some(given)
    }
}
