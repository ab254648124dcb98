//! A recipe as TOML: sections that are taken out one by one, and the faults met on the way.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::fault::{Fault, nearest, suggestion};
use super::text::Text;

/// The sections that are not taken yet.
pub(super) struct Document<'t> {
    text: &'t Text,
    sections: DeTable<'t>,
    faults: Vec<Fault>,
}

impl<'t> Document<'t> {
    /// Reads the file, then the additions over it.
    pub(super) fn read(text: &'t Text) -> Self {
        let mut document = Document { text, sections: DeTable::new(), faults: Vec::new() };
        for part in text.documents() {
            let (table, errors) = DeTable::parse_recoverable(part);
            for error in errors {
                document.error("the recipe", &error, None);
            }
            merge(&mut document.sections, table.into_inner());
        }
        document
    }

    /// Whether a section has such a key.
    pub(super) fn has_key(&self, section: &str, key: &str) -> bool {
        let found = self.sections.get(section).map(Spanned::get_ref);
        matches!(found, Some(DeValue::Table(table)) if table.contains_key(key))
    }

    /// Takes a section unread; gives its place.
    pub(super) fn skip(&mut self, section: &str) -> Option<Range<usize>> {
        self.sections.remove(section).map(|value| value.span())
    }

    /// Takes a section unread when it is missing or has a key that is nearly one of `known`, and
    /// notes that as a fault.
    pub(super) fn point_at_unknown(&mut self, section: &str, known: &[&str]) -> bool {
        let Some(value) = self.sections.get(section) else {
            self.fault(lacks(section), None, None);
            return true;
        };
        let DeValue::Table(table) = value.get_ref() else {
            return false;
        };
        let near = table.keys().find_map(|key| Some((key.clone(), nearest(key.get_ref(), known)?)));
        let Some((key, nearest)) = near else {
            return false;
        };
        let message = format!("unknown key `{}` in [{section}]", key.get_ref());
        self.fault(message, Some(key.span()), Some(format!("did you mean `{nearest}`?")));
        self.sections.remove(section);
        true
    }

    /// Takes a section that may be missing.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, section: &str) -> Option<T> {
        let value = self.sections.remove(section)?;
        self.typed(section, value)
    }

    /// Takes a section; a missing one is as good as an empty one.
    pub(super) fn defaulted<T: DeserializeOwned + Default>(&mut self, section: &str) -> T {
        self.optional(section).unwrap_or_default()
    }

    /// Takes a section whose names must be known to the guest's operations.
    pub(super) fn validated<T: DeserializeOwned + Default>(
        &mut self,
        section: &str,
        validate: impl Fn(&T) -> guest::Result<()>,
    ) -> T {
        let elements = self.elements(section);
        let options = self.defaulted(section);
        if let Err(guest::Error::UnknownName { kind, name, nearest }) = validate(&options) {
            let place = elements.into_iter().find(|(element, _)| *element == name);
            let help = Some(format!("did you mean `{nearest}`?"));
            self.fault(format!("there is no {kind} `{name}`"), place.map(|(_, span)| span), help);
        }
        options
    }

    /// Every text in a section's lists, with its place.
    fn elements(&self, section: &str) -> Vec<(String, Range<usize>)> {
        let Some(DeValue::Table(table)) = self.sections.get(section).map(Spanned::get_ref) else {
            return Vec::new();
        };
        let lists = table.values().filter_map(|value| value.get_ref().as_array());
        lists
            .flat_map(|list| list.iter())
            .filter_map(|element| Some((element.get_ref().as_str()?.to_owned(), element.span())))
            .collect()
    }

    /// Takes a section that must be there.
    pub(super) fn required<T: DeserializeOwned>(&mut self, section: &str) -> Option<T> {
        if !self.sections.contains_key(section) {
            self.fault(lacks(section), None, None);
        }
        self.optional(section)
    }

    fn typed<T: DeserializeOwned>(
        &mut self,
        section: &str,
        value: Spanned<DeValue<'t>>,
    ) -> Option<T> {
        let (name, span) = (format!("[{section}]"), value.span());
        let DeValue::Table(table) = value.into_inner() else {
            let help = format!("write [{section}] and its keys below it");
            self.fault(format!("`{section}` is a section"), Some(span), Some(help));
            return None;
        };
        match T::deserialize(Deserializer::from(Spanned::new(span.clone(), table))) {
            Ok(typed) => Some(typed),
            Err(error) => {
                self.error(&name, &error, Some(span));
                None
            }
        }
    }

    fn error(&mut self, section: &str, error: &Error, instead: Option<Range<usize>>) {
        let place = error.span().or(instead).map(|span| self.text.place(span));
        self.faults.push(Fault::read(error.message(), section, place));
    }

    /// Notes a fault that the types do not know of.
    pub(super) fn fault(
        &mut self,
        message: String,
        span: Option<Range<usize>>,
        help: Option<String>,
    ) {
        let place = span.map(|span| self.text.place(span));
        self.faults.push(Fault { message, place, help });
    }

    /// All faults in the order of the text; what nobody took is one of them.
    pub(super) fn finish(mut self, known: &[&str]) -> Vec<Fault> {
        for (name, _) in std::mem::take(&mut self.sections) {
            let message = format!("unknown section [{}]", name.get_ref());
            let help = suggestion(name.get_ref(), known);
            self.fault(message, Some(name.span()), help);
        }
        self.faults.sort_by_key(|fault| fault.place.as_ref().map(|p| (p.line, p.column)));
        self.faults
    }
}

fn lacks(section: &str) -> String {
    format!("the recipe lacks the section [{section}]")
}

/// Lays `over` over `table`: tables grow, everything else is replaced.
fn merge<'t>(table: &mut DeTable<'t>, over: DeTable<'t>) {
    for (key, value) in over {
        match (table.get_mut(&key).map(Spanned::get_mut), value) {
            (Some(DeValue::Table(below)), value) if value.get_ref().is_table() => {
                if let DeValue::Table(above) = value.into_inner() {
                    merge(below, above);
                }
            }
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}
