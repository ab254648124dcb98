//! The body of `PATCH /v2/images/{id}`: operations on properties, in Glance's dialects of
//! JSON-patch (RFC 6902 with `add`, `replace` and `remove` on whole properties).

use catalog::ImageChange;
use http::HeaderValue;
use image::Image;
use serde_json::{Map, Value};

use crate::error::{ApiError, Result};
use crate::property;

/// `application/openstack-images-v2.1-json-patch`: `{"op": "replace", "path": …, "value": …}`.
pub(crate) const V21: &str = "application/openstack-images-v2.1-json-patch";
/// `application/openstack-images-v2.0-json-patch`: `{"replace": path, "value": …}`.
pub(crate) const V20: &str = "application/openstack-images-v2.0-json-patch";
/// Both, for `Accept-Patch`.
pub(crate) const DIALECTS: HeaderValue = HeaderValue::from_static(
    "application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch",
);

/// What is said of any other content type.
pub(crate) const EXPECTED: &str = "Image PATCH expects Content-Type one of: \
                                   application/openstack-images-v2.0-json-patch, \
                                   application/openstack-images-v2.1-json-patch";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Replace,
    Remove,
}

impl Operation {
    fn name(self) -> &'static str {
        let found = OPERATIONS.iter().find(|(_, operation)| *operation == self);
        found.map_or("", |(name, _)| name)
    }
}

const OPERATIONS: &[(&str, Operation)] =
    &[("add", Operation::Add), ("replace", Operation::Replace), ("remove", Operation::Remove)];

/// The image as it is after all operations; the first one that can't be done fails the whole.
pub(crate) fn apply(before: &Image, body: &Value, dialect: &str) -> Result<Image> {
    let operations = body.as_array().ok_or_else(|| {
        ApiError::bad_request("Request body must be a JSON array of operation objects.")
    })?;
    let mut image = before.clone();
    for operation in operations {
        let fields = operation
            .as_object()
            .ok_or_else(|| ApiError::bad_request("Operations must be JSON objects."))?;
        apply_one(&mut image, fields, dialect)?;
    }
    Ok(image)
}

fn apply_one(image: &mut Image, fields: &Map<String, Value>, dialect: &str) -> Result<()> {
    let (operation, path) = parse(fields, dialect)?;
    let name = property_name(path)?;
    let value = || {
        let missing = || {
            let name = operation.name();
            format!("Operation \"{name}\" requires a member named \"value\".")
        };
        fields.get("value").ok_or_else(|| ApiError::bad_request(missing()))
    };
    match operation {
        Operation::Remove => property::remove(image, &name),
        Operation::Add => property::set(image, &name, value()?),
        Operation::Replace => {
            property::expect_present(image, &name)?;
            property::set(image, &name, value()?)
        }
    }
}

/// The operation and the path that it is done at.
pub(crate) fn parse<'a>(
    fields: &'a Map<String, Value>,
    dialect: &str,
) -> Result<(Operation, &'a str)> {
    if dialect == V20 { parse_v20(fields) } else { parse_v21(fields) }
}

fn parse_v21(fields: &Map<String, Value>) -> Result<(Operation, &str)> {
    let op = fields.get("op").and_then(Value::as_str);
    let op = op.ok_or_else(|| {
        ApiError::bad_request(
            "Unable to find `op` in JSON Schema change. It must be one of the following: add, \
             remove, replace.",
        )
    })?;
    let known = OPERATIONS.iter().find(|(name, _)| *name == op);
    let (_, operation) = known.ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid operation: `{op}`. It must be one of the following: add, remove, replace."
        ))
    })?;
    let path = fields.get("path").and_then(Value::as_str);
    path.map(|path| (*operation, path))
        .ok_or_else(|| ApiError::bad_request("Unable to find 'path' in JSON Schema change"))
}

fn parse_v20(fields: &Map<String, Value>) -> Result<(Operation, &str)> {
    let mut found = OPERATIONS
        .iter()
        .filter_map(|(name, operation)| Some((*operation, fields.get(*name)?.as_str()?)));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "Operation objects must contain only one member named \"add\", \"remove\", or \
             \"replace\".",
        )),
        (None, _) => Err(ApiError::bad_request(
            "Operation objects must contain exactly one member named \"add\", \"remove\", or \
             \"replace\".",
        )),
    }
}

/// The property that a JSON pointer (RFC 6901) of one step names, without the spaces around it.
fn property_name(path: &str) -> Result<String> {
    let bad = |why: &str| ApiError::bad_request(format!("Pointer `{path}` {why}."));
    let step = path.strip_prefix('/').ok_or_else(|| bad("does not start with \"/\""))?;
    let steps: Vec<_> = step.split('/').collect();
    let between = steps.get(1..steps.len() - 1).unwrap_or_default();
    if between.iter().any(|step| step.trim().is_empty()) {
        return Err(bad("contains adjacent \"/\""));
    }
    if step.ends_with('/') {
        return Err(bad("end with \"/\""));
    }
    let name = step.replace("~1", "\u{0}");
    if name.replace("~0", "").contains('~') {
        return Err(bad("contains \"~\" not part of a recognized escape sequence"));
    }
    let name = name.replace("~0", "~");
    if step.contains('/') {
        let message = format!("Invalid JSON pointer for this resource: '{path}'");
        return Err(ApiError::bad_request(message));
    }
    Ok(name.replace('\u{0}', "/").trim().to_owned())
}

/// What the catalog must change to make `after` of `before`.
pub(crate) fn difference(before: &Image, after: &Image) -> ImageChange {
    fn changed<T: PartialEq + Clone>(before: &T, after: &T) -> Option<T> {
        (before != after).then(|| after.clone())
    }
    let set = after
        .properties
        .iter()
        .filter(|(name, value)| before.properties.get(*name) != Some(*value))
        .map(|(name, value)| (name.clone(), Some(value.clone())));
    let removed = before.properties.keys().filter(|name| !after.properties.contains_key(*name));
    ImageChange {
        name: changed(&before.name, &after.name),
        visibility: changed(&before.visibility, &after.visibility),
        owner: changed(&before.owner, &after.owner),
        disk_format: changed(&before.disk_format, &after.disk_format),
        container_format: changed(&before.container_format, &after.container_format),
        min_disk: changed(&before.min_disk, &after.min_disk),
        min_ram: changed(&before.min_ram, &after.min_ram),
        protected: changed(&before.protected, &after.protected),
        os_hidden: changed(&before.os_hidden, &after.os_hidden),
        properties: set.chain(removed.map(|name| (name.clone(), None))).collect(),
        tags: changed(&before.tags, &after.tags),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use image::{ImageId, Timestamp};
    use serde_json::json;

    use super::*;

    fn image() -> Image {
        let mut image = Image::new(ImageId::random(), None, Timestamp::now());
        image.properties.insert("os_distro".into(), "debian".into());
        image
    }

    #[test]
    fn operations_build_on_each_other() {
        let body = json!([
            {"op": "add", "path": "/a", "value": "1"},
            {"op": "replace", "path": "/a", "value": "2"},
            {"op": "remove", "path": "/os_distro"},
            {"op": "add", "path": "/x~1y~0z", "value": "pointer"},
            {"op": "replace", "path": "/name", "value": "n"},
        ]);
        let after = apply(&image(), &body, V21).unwrap();
        assert_eq!(after.name.as_deref(), Some("n"));
        assert_eq!(after.properties.get("a").map(String::as_str), Some("2"));
        assert!(after.properties.contains_key("x/y~z"));
        let change = difference(&image(), &after);
        assert_eq!(change.properties.get("os_distro"), Some(&None));
        assert_eq!(change.visibility, None);
    }

    #[test]
    fn the_older_dialect_is_understood() {
        let body = json!([{"replace": "/name", "value": "n"}]);
        assert_eq!(apply(&image(), &body, V20).unwrap().name.as_deref(), Some("n"));
        assert!(apply(&image(), &json!([{"replace": "/a", "add": "/b"}]), V20).is_err());
    }

    #[test]
    fn illegal_patches_are_refused_whole() {
        let bad = StatusCode::BAD_REQUEST;
        let cases = [
            (json!({}), bad),
            (json!(["x"]), bad),
            (json!([{"path": "/name"}]), bad),
            (json!([{"op": "test", "path": "/name", "value": "x"}]), bad),
            (json!([{"op": "add", "value": "x"}]), bad),
            (json!([{"op": "add", "path": "/name"}]), bad),
            (json!([{"op": "add", "path": "name", "value": "x"}]), bad),
            (json!([{"op": "add", "path": "//", "value": "x"}]), bad),
            (json!([{"op": "add", "path": "/a/b", "value": "x"}]), bad),
            (json!([{"op": "add", "path": "/a~2", "value": "x"}]), bad),
            (json!([{"op": "replace", "path": "/nothing", "value": "x"}]), StatusCode::CONFLICT),
            (json!([{"op": "remove", "path": "/nothing"}]), StatusCode::CONFLICT),
            (json!([{"op": "replace", "path": "/status", "value": "x"}]), StatusCode::FORBIDDEN),
        ];
        for (body, status) in cases {
            assert_eq!(apply(&image(), &body, V21).unwrap_err().status, status, "{body}");
        }
    }
}
