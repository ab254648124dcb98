//! What requests say: bodies, checked against the schemas that are served, in the catalog's words.

use axum::body::Body;
use catalog::metadefs::{
    Association, Contents, Definition, Definitions, Namespace, Object, Property, Tag, Times,
};
use http::HeaderMap;
use serde_json::{Map, Value};

use super::definition;
use crate::error::{ApiError, Result};
use crate::{body, json_schema};

/// Characters of a name in the database's columns.
const MOST_OF_NAME: usize = 80;

/// What the API writes itself, in objects and associations within a namespace: passed over, so that
/// what was shown can be sent.
const SHOWN: &[&str] = &["created_at", "updated_at", "self", "schema"];

/// A namespace to be created, with all that is in it.
pub(crate) struct NewNamespace {
    pub(crate) namespace: Namespace,
    pub(crate) contents: Contents,
}

/// The fields of a body that follows the schema. Errors: 400; 403 for `read_only` ones.
pub(crate) async fn fields(
    headers: &HeaderMap,
    body: Body,
    schema: &Value,
    read_only: &[&str],
) -> Result<Map<String, Value>> {
    if !body::is_sent(headers) {
        return Err(ApiError::bad_request("Body expected in request."));
    }
    let value = body::json(headers, body).await?;
    let Value::Object(fields) = &value else {
        return Err(ApiError::bad_request("Unexpected body type. Expected a JSON object."));
    };
    if let Some(name) = read_only.iter().find(|name| fields.contains_key(**name)) {
        return Err(ApiError::forbidden(format!("Attribute '{name}' is read-only.")));
    }
    json_schema::check(schema, &value).map_err(ApiError::bad_request)?;
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// The words about a namespace itself. Without an owner it is the caller's project's.
pub(crate) fn namespace(fields: &Map<String, Value>, project: Option<&str>) -> Result<Namespace> {
    let owner = text(fields, "owner").or(project.map(str::to_owned));
    let reach = text(fields, "visibility").and_then(|text| text.parse().ok());
    Ok(Namespace {
        name: name(fields, "namespace")?,
        display_name: text(fields, "display_name"),
        description: text(fields, "description"),
        reach: reach.unwrap_or_default(),
        protected: fields.get("protected").and_then(Value::as_bool).unwrap_or(false),
        owner: owner.unwrap_or_default(),
        times: Times::now(),
    })
}

/// A namespace with what is in it.
pub(crate) fn new_namespace(
    fields: &Map<String, Value>,
    project: Option<&str>,
) -> Result<NewNamespace> {
    let mut contents = Contents::default();
    for part in parts(fields, "resource_type_associations") {
        only(part, &["name", "prefix", "properties_target"])?;
        contents.associations.push(association(part)?);
    }
    for part in parts(fields, "objects") {
        only(part, &["name", "description", "required", "properties"])?;
        contents.objects.push(object(part)?);
    }
    for part in parts(fields, "tags") {
        only(part, &["name"])?;
        contents.tags.push(Tag { name: name(part, "name")?, times: Times::now() });
    }
    for (name, definition) in definitions(fields)? {
        contents.properties.push(Property { name: checked_name(&name)?, definition });
    }
    Ok(NewNamespace { namespace: namespace(fields, project)?, contents })
}

/// An object.
pub(crate) fn object(fields: &Map<String, Value>) -> Result<Object> {
    let required = fields.get("required").and_then(Value::as_array).into_iter().flatten();
    Ok(Object {
        name: name(fields, "name")?,
        description: text(fields, "description"),
        required: required.filter_map(Value::as_str).map(str::to_owned).collect(),
        properties: definitions(fields)?,
        times: Times::now(),
    })
}

/// A property that says its own name; the name stays a part of its definition.
pub(crate) fn property(fields: &Map<String, Value>) -> Result<Property> {
    Ok(Property { name: name(fields, "name")?, definition: normal(fields)? })
}

/// An association with a type of resources.
pub(crate) fn association(fields: &Map<String, Value>) -> Result<Association> {
    Ok(Association {
        resource_type: name(fields, "name")?,
        prefix: text(fields, "prefix"),
        properties_target: text(fields, "properties_target"),
        times: Times::now(),
    })
}

/// A tag's name.
pub(crate) fn tag_name(fields: &Map<String, Value>) -> Result<String> {
    name(fields, "name")
}

fn definitions(fields: &Map<String, Value>) -> Result<Definitions> {
    let given = fields.get("properties").and_then(Value::as_object).into_iter().flatten();
    given
        .filter_map(|(name, value)| Some((name, value.as_object()?)))
        .map(|(name, definition)| Ok((name.clone(), normal(definition)?)))
        .collect()
}

fn normal(given: &Map<String, Value>) -> Result<Definition> {
    let refused = |why| format!("Provided object does not match schema 'property': {why}");
    definition::normal(given).map_err(|why| ApiError::bad_request(refused(why)))
}

fn parts<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    let parts = fields.get(name).and_then(Value::as_array).into_iter().flatten();
    parts.filter_map(Value::as_object)
}

fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<()> {
    let mut names = fields.keys().map(String::as_str);
    match names.find(|name| !known.contains(name) && !SHOWN.contains(name)) {
        None => Ok(()),
        Some(name) => Err(ApiError::bad_request(format!("Unknown attribute: {name}"))),
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn name(fields: &Map<String, Value>, field: &str) -> Result<String> {
    let given = fields.get(field).and_then(Value::as_str);
    checked_name(
        given.ok_or_else(|| ApiError::bad_request(format!("'{field}' is a required property")))?,
    )
}

/// What has no name has no path either. The column has room for so much; some databases would cut
/// the rest off.
fn checked_name(name: &str) -> Result<String> {
    match name.chars().count() {
        0 => Err(ApiError::bad_request("A name can't be empty.")),
        1..=MOST_OF_NAME => Ok(name.to_owned()),
        _ => Err(ApiError::bad_request(format!("'{name}' is too long"))),
    }
}
