//! What notifications say of metadata definitions. Source: the formats of Glance's `notifier.py`.

use catalog::metadefs::{Association, Contents, Namespace, Object, Property, Tag, Times};
use notify::Notifier;
use serde_json::{Map, Value, json};

use super::{removed, with};
use crate::metadefs::definition;

/// What is told of a definition, where it says something.
const WORDS: [&str; 16] = [
    "type",
    "title",
    "description",
    "default",
    "minimum",
    "maximum",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "confidential",
    "items",
    "uniqueItems",
    "minItems",
    "maxItems",
    "additionalItems",
];

/// What a namespace may hold, and is told of by the same words.
pub(crate) trait Told {
    /// Its part of an event's name.
    const KIND: &'static str;

    /// What it is called.
    fn name(&self) -> &str;

    /// What else there is to tell.
    fn words(&self) -> Value;
}

impl Told for Object {
    const KIND: &'static str = "object";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> Value {
        let property = |(name, property): (&String, _)| {
            with(words(&definition::shown(property)), json!({ "name": name }))
        };
        let properties: Vec<_> = self.properties.iter().map(property).collect();
        let about = json!({
            "properties": properties,
            "required": self.required,
            "description": self.description,
        });
        with(about, times(&self.times))
    }
}

impl Told for Property {
    const KIND: &'static str = "property";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> Value {
        words(&definition::shown(&self.definition))
    }
}

impl Told for Tag {
    const KIND: &'static str = "tag";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> Value {
        times(&self.times)
    }
}

impl Told for Association {
    const KIND: &'static str = "resource_type";

    fn name(&self) -> &str {
        &self.resource_type
    }

    fn words(&self) -> Value {
        let about = json!({ "prefix": self.prefix, "properties_target": self.properties_target });
        with(about, times(&self.times))
    }
}

/// Something is in a namespace that was not.
pub(crate) fn created<T: Told>(notifier: &Notifier, namespace: &str, new: &T) {
    let event = format!("metadef_{}.create", T::KIND);
    notifier.info(&event, || item(namespace, new.name(), new));
}

/// Something is other than it was, perhaps by another name.
pub(crate) fn changed<T: Told>(notifier: &Notifier, namespace: &str, before: &str, after: &T) {
    let event = format!("metadef_{}.update", T::KIND);
    notifier.info(&event, || item(namespace, before, after));
}

/// Something is gone.
pub(crate) fn deleted<T: Told>(notifier: &Notifier, namespace: &str, gone: &T) {
    let event = format!("metadef_{}.delete", T::KIND);
    notifier.info(&event, || with(item(namespace, gone.name(), gone), removed()));
}

fn item<T: Told>(namespace: &str, before: &str, item: &T) -> Value {
    let about = json!({
        "namespace": namespace,
        "name": item.name(),
        "name_old": before,
        "deleted": false,
        "deleted_at": null,
    });
    with(item.words(), about)
}

/// A namespace is there, and what came with it.
pub(crate) fn namespace_created(notifier: &Notifier, new: &Namespace, contents: &Contents) {
    notifier.info("metadef_namespace.create", || namespace(new));
    contents.associations.iter().for_each(|item| created(notifier, &new.name, item));
    contents.objects.iter().for_each(|item| created(notifier, &new.name, item));
    contents.tags.iter().for_each(|item| created(notifier, &new.name, item));
    contents.properties.iter().for_each(|item| created(notifier, &new.name, item));
}

/// A namespace.
pub(crate) fn namespace(from: &Namespace) -> Value {
    let about = json!({
        "namespace": from.name,
        "namespace_old": from.name,
        "display_name": from.display_name,
        "protected": from.protected,
        "visibility": from.reach.as_str(),
        "owner": from.owner,
        "description": from.description,
        "deleted": false,
        "deleted_at": null,
    });
    with(about, times(&from.times))
}

/// A namespace that had another name.
pub(crate) fn renamed(from: &Namespace, before: &str) -> Value {
    with(namespace(from), json!({ "namespace_old": before }))
}

/// A namespace that is gone.
pub(crate) fn namespace_deleted(from: &Namespace) -> Value {
    with(namespace(from), removed())
}

fn words(shown: &Map<String, Value>) -> Value {
    WORDS.into_iter().map(|word| (word, shown.get(word).cloned().unwrap_or_default())).collect()
}

fn times(times: &Times) -> Value {
    json!({ "created_at": times.created_at, "updated_at": times.updated_at })
}
