//! XML of SOAP: a small tree of what is read, and elements that are written.

use std::fmt::Write;

pub(super) use quick_xml::escape::escape;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// How deep elements may lie in each other. Answers that are asked for are a dozen deep.
const DEEPEST: usize = 64;

/// An element that was read. Names are without their prefixes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    /// Names with their prefixes, and values.
    attributes: Vec<(String, String)>,
    /// All text that is directly in it.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Reads a document. Errors: why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        // The outermost holds the document's one element.
        let mut open = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|error| error.to_string())?;
            match event {
                Event::Start(start) => open.push(Self::begun(&start)?),
                Event::Empty(start) => close(&mut open, Self::begun(&start)?),
                // The reader has seen that it is the end of the last one.
                Event::End(_) => {
                    if let Some(element) = open.pop() {
                        close(&mut open, element);
                    }
                }
                Event::Text(text) => write(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
                Event::CData(text) => write(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
                Event::GeneralRef(reference) => write(&mut open, &resolved(&reference)?),
                Event::Eof => break,
                Event::DocType(_) => return Err("it has a document type".to_owned()),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
            if open.len() > DEEPEST {
                return Err(format!("it is more than {DEEPEST} elements deep"));
            }
        }
        match (open.len(), open.swap_remove(0).children.pop()) {
            (1, Some(element)) => Ok(element),
            _ => Err("it ends early".to_owned()),
        }
    }

    fn begun(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut element = Self { name: local(start.name().as_ref()).to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| error.to_string())?;
            element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(element)
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// An attribute by its full name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The type that the value says it has (`xsi:type`), without its prefix.
    pub(super) fn xsi_type(&self) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.ends_with(":type"));
        found.map(|(_, value)| local(value))
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn close(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn write(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// What a reference stands for: a character, or one of XML's own entities.
fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name = reference.xml_content(XmlVersion::Implicit1_0);
    let known = resolve_xml_entity(&name);
    known.map(str::to_owned).ok_or_else(|| format!("it has an entity '{name}'"))
}

/// Writes an element that holds a text.
pub(super) fn text(to: &mut String, name: &str, text: &str) {
    element(to, name, "", &escape(text));
}

/// Writes an element with attributes, which begin with a space, and content; both are XML already.
pub(super) fn element(to: &mut String, name: &str, attributes: &str, content: &str) {
    // Writing to a string does not fail.
    let _ = write!(to, "<{name}{attributes}>{content}</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read() {
        let text = "<?xml version='1.0'?><a:x xmlns:a='u'><!-- c --><b t:type='v:T' type='M'>\
                    1 &lt;&#x32;<![CDATA[<3>]]></b><b/></a:x>";
        let x = Element::parse(text).unwrap();
        assert_eq!((x.name.as_str(), x.children.len()), ("x", 2));
        let b = x.child("b").unwrap();
        assert_eq!(
            (b.text.as_str(), b.xsi_type(), b.attribute("type")),
            ("1 <2<3>", Some("T"), Some("M"))
        );
        assert_eq!(x.all("b").count(), 2);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        let entity = "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>";
        for text in ["", "x", "<a>", "<a></b>", "<a>&e;</a>", "<a>&", entity, &deep] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut written = String::new();
        text(&mut written, "name", "[a & <b>] \"c\"/'\u{e4}'");
        assert_eq!(Element::parse(&written).unwrap().text, "[a & <b>] \"c\"/'\u{e4}'");
    }
}
