//! What is shown. What has no value is left out.

use catalog::metadefs::{
    Association, Contents, Namespace, Object, Property, ResourceType, Tag, Times,
};
use serde_json::{Map, Value, json};

use super::definition;
use crate::listing::Parameters;

type Fields = Map<String, Value>;

const NAMESPACES: &str = "/v2/metadefs/namespaces";

fn fields<const N: usize>(given: [(&str, Value); N]) -> Fields {
    let given = given.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn with_times(mut shown: Fields, times: &Times) -> Fields {
    shown.extend(fields([
        ("created_at", json!(times.created_at)),
        ("updated_at", json!(times.updated_at)),
    ]));
    shown
}

/// The words about a namespace itself.
pub(crate) fn namespace(namespace: &Namespace) -> Fields {
    let shown = fields([
        ("namespace", json!(namespace.name)),
        ("display_name", json!(namespace.display_name)),
        ("description", json!(namespace.description)),
        ("visibility", json!(namespace.reach.as_str())),
        ("protected", json!(namespace.protected)),
        ("owner", json!(namespace.owner)),
        ("self", json!(format!("{NAMESPACES}/{}", namespace.name))),
        ("schema", json!("/v2/schemas/metadefs/namespace")),
    ]);
    with_times(shown, &namespace.times)
}

/// A namespace with what is in it; on resources of a type, with the prefix that properties have
/// there.
pub(crate) fn detailed_namespace(
    from: &Namespace,
    contents: &Contents,
    resource_type: Option<&str>,
) -> Fields {
    let prefix = prefix(contents, resource_type).unwrap_or_default();
    let mut shown = namespace(from);
    let objects: Vec<_> = contents.objects.iter().map(|o| prefixed(from, o, prefix)).collect();
    let associations: Vec<_> = contents.associations.iter().map(association).collect();
    let tags = tag_names(&contents.tags);
    let lists =
        [("objects", objects), ("resource_type_associations", associations), ("tags", tags)];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        shown.insert(name.to_owned(), json!(list));
    }
    if !contents.properties.is_empty() {
        shown.insert("properties".to_owned(), properties(&contents.properties, prefix));
    }
    shown
}

fn prefix<'a>(contents: &'a Contents, resource_type: Option<&str>) -> Option<&'a str> {
    let wanted = |a: &&Association| Some(a.resource_type.as_str()) == resource_type;
    contents.associations.iter().find(wanted)?.prefix.as_deref()
}

fn prefixed(namespace: &Namespace, from: &Object, prefix: &str) -> Fields {
    let mut from = from.clone();
    let properties = std::mem::take(&mut from.properties).into_iter();
    from.properties = properties.map(|(name, value)| (format!("{prefix}{name}"), value)).collect();
    from.required.iter_mut().for_each(|name| name.insert_str(0, prefix));
    object(&namespace.name, &from)
}

/// The answer to a creation: what was sent, in its normal form, without when and where its parts
/// are.
pub(crate) fn created_namespace(from: &Namespace, contents: &Contents, sent: &Fields) -> Fields {
    let mut shown = namespace(from);
    let mut insert = |name: &str, value: Value| {
        if sent.contains_key(name) {
            shown.insert(name.to_owned(), value);
        }
    };
    let objects = contents
        .objects
        .iter()
        .zip(sent.get("objects").and_then(Value::as_array).into_iter().flatten());
    let objects: Vec<_> = objects.map(|(object, sent)| bare_object(object, sent)).collect();
    let associations: Vec<_> = contents.associations.iter().map(bare_association).collect();
    insert("objects", json!(objects));
    insert("resource_type_associations", json!(associations));
    insert("tags", json!(tag_names(&contents.tags)));
    insert("properties", properties(&contents.properties, ""));
    shown
}

fn bare_object(from: &Object, sent: &Value) -> Fields {
    let mut shown = object_itself(from);
    shown.retain(|name, _| sent.get(name).is_some());
    shown
}

fn bare_association(from: &Association) -> Fields {
    fields([
        ("name", json!(from.resource_type)),
        ("prefix", json!(from.prefix)),
        ("properties_target", json!(from.properties_target)),
    ])
}

/// An association with a type of resources.
pub(crate) fn association(from: &Association) -> Fields {
    with_times(bare_association(from), &from.times)
}

/// A type of resources.
pub(crate) fn resource_type(from: &ResourceType) -> Fields {
    with_times(fields([("name", json!(from.name))]), &from.times)
}

/// An object of a namespace.
pub(crate) fn object(namespace: &str, from: &Object) -> Fields {
    let mut shown = with_times(object_itself(from), &from.times);
    let path = format!("{NAMESPACES}/{namespace}/objects/{}", from.name);
    shown.extend(fields([("self", json!(path)), ("schema", json!("/v2/schemas/metadefs/object"))]));
    shown
}

fn object_itself(from: &Object) -> Fields {
    let properties = from.properties.iter();
    let properties: Fields = properties
        .map(|(name, property)| (name.clone(), definition::shown(property).into()))
        .collect();
    fields([
        ("name", json!(from.name)),
        ("description", json!(from.description)),
        ("required", json!(from.required)),
        ("properties", properties.into()),
    ])
}

/// The answer to a creation or change of an object: without the parts that were not sent.
pub(crate) fn created_object(namespace: &str, from: &Object, sent: &Fields) -> Fields {
    let mut shown = object(namespace, from);
    for name in ["required", "properties"].iter().filter(|name| !sent.contains_key(**name)) {
        shown.remove(*name);
    }
    shown
}

/// Properties by their names.
pub(crate) fn properties(from: &[Property], prefix: &str) -> Value {
    let shown = |property: &Property| {
        (format!("{prefix}{}", property.name), definition::shown(&property.definition).into())
    };
    Value::Object(from.iter().map(shown).collect())
}

/// A property with its name.
pub(crate) fn property(from: &Property) -> Fields {
    let mut shown = definition::shown(&from.definition);
    shown.insert("name".to_owned(), json!(from.name));
    shown
}

/// A tag.
pub(crate) fn tag(from: &Tag) -> Fields {
    with_times(fields([("name", json!(from.name))]), &from.times)
}

/// Tags as lists show them.
pub(crate) fn tag_names(tags: &[Tag]) -> Vec<Fields> {
    tags.iter().map(|tag| fields([("name", json!(tag.name))])).collect()
}

/// A page of namespaces. A full one names the next, which begins after `last`.
pub(crate) fn page(namespaces: Vec<Fields>, next: Option<&str>, parameters: &Parameters) -> Value {
    let others = parameters.iter().filter(|(name, _)| name != "marker");
    let marker = next.map(|last| ("marker".to_owned(), last.to_owned()));
    let next = marker.as_ref().map(|marker| url(others.clone().chain([marker])));
    Value::Object(fields([
        ("namespaces", json!(namespaces)),
        ("first", json!(url(others))),
        ("next", json!(next)),
        ("schema", json!("/v2/schemas/metadefs/namespaces")),
    ]))
}

fn url<'a>(parameters: impl Iterator<Item = &'a (String, String)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    if query.is_empty() { NAMESPACES.to_owned() } else { format!("{NAMESPACES}?{query}") }
}
