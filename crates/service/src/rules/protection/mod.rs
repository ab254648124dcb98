//! Property protections: who may create, read, change and remove which custom properties.
//!
//! `property_protection_file` has a section for each rule: a regular expression for the names that
//! it is about, and for each operation the roles (or the policy) that may do it; `@` is everybody,
//! `!` nobody. The first rule whose expression is found in a name holds. A name that no rule is
//! about may not be touched by anybody. What the service notes for itself is not protected.
//!
//! Source: "Property protections" of Glance's administration guide, and
//! `glance/common/property_utils.py`.

mod file;

use std::path::{Path, PathBuf};

use config::Config;
use identity::Caller;
use identity::policy::Policy;
use image::Image;
use regex::Regex;

use crate::property::RESERVED_PREFIX;

/// What may be done to a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Set one that was not there.
    Create,
    /// See it.
    Read,
    /// Change it.
    Update,
    /// Take it off.
    Delete,
}

/// The operations as the file names them, in the order of [`Operation`].
const OPERATIONS: [&str; 4] = ["create", "read", "update", "delete"];

/// Who may touch which properties.
#[derive(Debug, Clone, Default)]
pub struct Protections {
    /// `None` without a file: everybody may do everything.
    rules: Option<Vec<Rule>>,
}

#[derive(Debug, Clone)]
struct Rule {
    about: Regex,
    /// In the order of [`Operation`].
    admitted: [Admitted; 4],
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Admitted {
    Everybody,
    Nobody,
    Roles(Vec<String>),
    Policy(String),
}

/// How the file says who is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Roles,
    Policies,
}

impl Protections {
    /// Reads `property_protection_file`, which is looked for in `folders` when its path is
    /// relative. Errors: a file that is not there, or not whole; a service that can't tell what is
    /// protected must not start.
    pub fn from_config(config: &Config, folders: &[PathBuf]) -> config::Result<Self> {
        let options = config.default_section();
        let format: String = options.or("property_protection_rule_format", "roles".to_owned())?;
        let format = match format.to_ascii_lowercase().as_str() {
            "roles" => Format::Roles,
            "policies" => Format::Policies,
            _ => {
                let expected = "expected roles or policies";
                return Err(options.wrong("property_protection_rule_format", expected));
            }
        };
        let file: Option<String> = options.get("property_protection_file")?;
        let Some(file) = file else { return Ok(Self::default()) };
        let rules = read(Path::new(&file), folders, format);
        let expected = |why| format!("expected a file of property protections: {why}");
        let rules =
            rules.map_err(|why| options.wrong("property_protection_file", expected(why)))?;
        Ok(Self { rules: Some(rules) })
    }

    /// Whether the caller may do this to a custom property.
    pub fn admit(
        &self,
        policy: &Policy,
        caller: &Caller,
        operation: Operation,
        property: &str,
    ) -> bool {
        let Some(rules) = &self.rules else { return true };
        if property.starts_with(RESERVED_PREFIX) {
            return true;
        }
        let rule = rules.iter().find(|rule| rule.about.is_match(property));
        rule.is_some_and(|rule| rule.admitted[operation as usize].admits(policy, caller))
    }

    /// Leaves of an image's custom properties those that the caller may see.
    pub fn hide(&self, policy: &Policy, caller: &Caller, image: &mut Image) {
        if self.rules.is_some() {
            let seen = |name: &str| self.admit(policy, caller, Operation::Read, name);
            image.properties.retain(|name, _| seen(name));
        }
    }
}

impl Admitted {
    fn admits(&self, policy: &Policy, caller: &Caller) -> bool {
        match self {
            Self::Everybody => true,
            Self::Nobody => false,
            Self::Roles(roles) => roles.iter().any(|role| caller.has_role(role)),
            Self::Policy(rule) => policy.admits(rule, caller),
        }
    }

    /// Errors: what can't be meant.
    fn parse(text: &str, format: Format) -> Result<Self, &'static str> {
        let words: Vec<_> =
            text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let (all, none) = (words.contains(&"@"), words.contains(&"!"));
        match (format, words.as_slice()) {
            (_, []) => Ok(Self::Nobody),
            (Format::Roles, _) if all && none => Err("'@' and '!' are mutually exclusive"),
            (Format::Policies, [_, _, ..]) => {
                Err("only one policy can be named; combine several in the policy file")
            }
            _ if none => Ok(Self::Nobody),
            _ if all => Ok(Self::Everybody),
            (Format::Roles, roles) => {
                Ok(Self::Roles(roles.iter().map(|&role| role.to_owned()).collect()))
            }
            (Format::Policies, [rule]) => Ok(Self::Policy((*rule).to_owned())),
        }
    }
}

fn read(file: &Path, folders: &[PathBuf], format: Format) -> Result<Vec<Rule>, String> {
    let places = std::iter::once(file.to_owned()).chain(folders.iter().map(|f| f.join(file)));
    let found = places.into_iter().find(|path| path.is_file());
    let found = found.ok_or_else(|| format!("there is no file {}", file.display()))?;
    let text = std::fs::read_to_string(&found);
    let text = text.map_err(|error| format!("{}: {error}", found.display()))?;
    let sections = file::sections(&text).map_err(|why| format!("{}: {why}", found.display()))?;
    let own = |section: &&file::Section| !section.name.starts_with(RESERVED_PREFIX);
    sections.iter().filter(own).map(|section| rule(section, format)).collect()
}

fn rule(section: &file::Section, format: Format) -> Result<Rule, String> {
    let wrong = |why: String| format!("[{}]: {why}", section.name);
    let about = Regex::new(&section.name).map_err(|error| wrong(error.to_string()))?;
    let admitted = OPERATIONS.map(|operation| {
        let given = section.options.get(operation);
        let given = given.ok_or_else(|| wrong(format!("'{operation}' is missing")))?;
        Admitted::parse(given, format).map_err(|why| wrong(format!("{operation}: {why}")))
    });
    let [create, read, update, delete] = admitted;
    Ok(Rule { about, admitted: [create?, read?, update?, delete?] })
}

#[cfg(test)]
mod tests;
