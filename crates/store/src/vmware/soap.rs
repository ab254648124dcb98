//! Calls of the vSphere Web Services API (`urn:vim25`): what is asked, and what is answered.

use super::xml::{self, Element};
use crate::Error;

/// The version of the API that is spoken: the oldest that servers in use still know.
pub(super) const ACTION: &str = "urn:vim25/5.5";

/// A reference to an object that the server manages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    kind: String,
    id: String,
}

impl Object {
    pub(super) fn new(kind: &str, id: &str) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned() }
    }

    /// The object that an element names.
    pub(super) fn read(element: &Element) -> Option<Self> {
        let kind = element.attribute("type")?;
        (!element.text.is_empty()).then(|| Self::new(kind, &element.text))
    }
}

/// A call of a method of an object.
pub(super) struct Call {
    pub(super) method: &'static str,
    arguments: String,
}

impl Call {
    pub(super) fn new(method: &'static str, this: &Object) -> Self {
        Self { method, arguments: String::new() }.object("_this", this)
    }

    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        xml::text(&mut self.arguments, name, text);
        self
    }

    pub(super) fn object(mut self, name: &str, object: &Object) -> Self {
        reference(&mut self.arguments, name, object);
        self
    }

    /// Asks for properties of objects of a kind: of `from` itself, or of those that its property
    /// `through` names.
    pub(super) fn properties(
        collector: &Object,
        from: &Object,
        through: Option<&str>,
        (kind, paths): (&str, &[&str]),
    ) -> Self {
        let mut set = String::new();
        xml::text(&mut set, "type", kind);
        paths.iter().for_each(|path| xml::text(&mut set, "pathSet", path));
        let mut objects = String::new();
        reference(&mut objects, "obj", from);
        if let Some(path) = through {
            let mut way = String::new();
            xml::text(&mut way, "type", &from.kind);
            xml::text(&mut way, "path", path);
            xml::text(&mut way, "skip", "false");
            xml::text(&mut objects, "skip", "true");
            xml::element(&mut objects, "selectSet", " xsi:type=\"TraversalSpec\"", &way);
        }
        let mut specification = String::new();
        xml::element(&mut specification, "propSet", "", &set);
        xml::element(&mut specification, "objectSet", "", &objects);
        let mut call = Self::new("RetrieveProperties", collector);
        xml::element(&mut call.arguments, "specSet", "", &specification);
        call
    }

    /// The request's text.
    pub(super) fn envelope(&self) -> String {
        let mut body = String::new();
        xml::element(&mut body, self.method, " xmlns=\"urn:vim25\"", &self.arguments);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
             <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        )
    }
}

fn reference(to: &mut String, name: &str, object: &Object) {
    let kind = format!(" type=\"{}\"", xml::escape(&object.kind));
    xml::element(to, name, &kind, &xml::escape(&object.id));
}

/// Why a call or a task failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The fault's type: `NotAuthenticated`, `FileNotFound` …
    pub(super) kind: String,
    text: String,
}

/// What came of a call: the value that is returned, or a fault. Errors: it is no answer of SOAP.
pub(super) fn answer(text: &str) -> Result<Result<Element, Fault>, String> {
    let mut envelope = Element::parse(text)?;
    let body = envelope.children.iter_mut().find(|child| child.name == "Body");
    let Some(answer) = body.and_then(|body| body.children.pop()) else {
        return Err("it has no body".to_owned());
    };
    match answer.name.as_str() {
        "Fault" => Ok(Err(Fault::of_call(&answer))),
        _ => Ok(Ok(answer)),
    }
}

impl Fault {
    fn of_call(fault: &Element) -> Self {
        let detail = fault.child("detail").and_then(|detail| detail.children.first());
        let text = fault.child("faultstring").map_or("", |text| text.text.trim());
        Self::new(detail, text)
    }

    /// Of a task's `error`.
    pub(super) fn of_task(error: &Element) -> Self {
        let text = error.child("localizedMessage").map_or("", |text| text.text.trim());
        Self::new(error.child("fault"), text)
    }

    fn new(detail: Option<&Element>, text: &str) -> Self {
        let kind = detail.map(|detail| {
            detail.xsi_type().unwrap_or_else(|| detail.name.trim_end_matches("Fault"))
        });
        Self { kind: kind.unwrap_or_default().to_owned(), text: text.to_owned() }
    }

    /// The error that it stands for. `what` is the call or the file, for the text.
    pub(super) fn error(self, store: &str, what: &str) -> Error {
        let Self { kind, text } = self;
        let store = store.to_owned();
        let why = format!("{what} is answered with {kind}: {text}");
        match kind.as_str() {
            "InvalidLogin" | "NoPermission" | "NotAuthenticated" | "RestrictedVersion" => {
                Error::Forbidden { store, why }
            }
            "FileNotFound" => Error::NotFound(what.to_owned()),
            "FileAlreadyExists" => Error::Exists(what.to_owned()),
            "FileLocked" | "ResourceInUse" => Error::InUse { uri: what.to_owned(), why: text },
            "NoDiskSpace" => Error::Full(store),
            _ => Error::Unavailable { store, why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_what_the_api_expects() {
        let this = Object::new("FileManager", "FileManager");
        let call = Call::new("MakeDirectory", &this).text("name", "[a&b] c");
        let body = Element::parse(&call.envelope()).unwrap();
        let call = body.child("Body").unwrap().child("MakeDirectory").unwrap();
        assert_eq!(Object::read(call.child("_this").unwrap()), Some(this));
        assert_eq!(call.child("name").unwrap().text, "[a&b] c");
        assert_eq!(call.attribute("xmlns"), Some("urn:vim25"));
    }

    #[test]
    fn faults_are_known_by_their_types() {
        let fault = |detail: &str| {
            let text = format!(
                "<e:Envelope xmlns:e='e'><e:Body><e:Fault><faultstring>no</faultstring>\
                 <detail>{detail}</detail></e:Fault></e:Body></e:Envelope>"
            );
            answer(&text).unwrap().unwrap_err()
        };
        assert_eq!(fault("<F xmlns:x='x' x:type='NotAuthenticated'/>").kind, "NotAuthenticated");
        assert_eq!(fault("<InvalidLoginFault/>").kind, "InvalidLogin");
        assert_eq!(fault("").kind, "");
        let error = fault("<FileLockedFault/>").error("s", "[d] f");
        assert!(matches!(error, Error::InUse { uri, .. } if uri == "[d] f"));
        let task = "<error><fault xmlns:x='x' x:type='FileNotFound'><file>f</file></fault>\
                    <localizedMessage>gone</localizedMessage></error>";
        let fault = Fault::of_task(&Element::parse(task).unwrap());
        assert!(matches!(fault.error("s", "[d] f"), Error::NotFound(_)));
        assert!(answer("<html/>").is_err());
    }
}
