//! The properties of an image, one by one: which there are, what they take, and who may set them.
//! Used alike by creation and by patches.

use std::collections::BTreeSet;

use image::{Image, Status, UnknownName};
use serde_json::Value;

use crate::error::{ApiError, Result};

/// Set by the service alone. Source: `ImagesController._readonly_properties` of Glance.
const READ_ONLY: &[&str] = &[
    "created_at",
    "updated_at",
    "status",
    "checksum",
    "size",
    "virtual_size",
    "os_hash_algo",
    "os_hash_value",
    "direct_url",
    "schema",
    "file",
    "self",
];

/// Names that would be mistaken for something else. Source: `_reserved_properties` of Glance.
const RESERVED: &[&str] = &["location", "locations", "deleted", "deleted_at"];

/// Set by the service alone too, but to patches a property that is not there.
pub(crate) const STORES: &str = "stores";

/// The namespace of properties that the service keeps for itself.
pub(crate) const RESERVED_PREFIX: &str = "os_glance";

/// Characters of a name, a tag, an owner and a property's name: Glance's columns.
const LONGEST: usize = 255;

/// Bytes of a property's value: a `TEXT` column.
const LONGEST_VALUE: usize = 65_535;

/// The largest `min_disk` and `min_ram`: a 32-bit column.
const LARGEST: u32 = i32::MAX as u32;

/// Sets a property of an image from its JSON value.
pub(crate) fn set(image: &mut Image, name: &str, value: &Value) -> Result<()> {
    refuse_guarded(name)?;
    match name {
        "name" => image.name = text_or_null(name, value)?,
        "owner" => image.owner = text_or_null(name, value)?,
        "visibility" => image.visibility = word(name, value)?,
        "disk_format" => {
            only_before_data(image, name)?;
            image.disk_format = word_or_null(name, value)?;
        }
        "container_format" => {
            only_before_data(image, name)?;
            image.container_format = word_or_null(name, value)?;
        }
        "min_disk" => image.min_disk = number(name, value)?,
        "min_ram" => image.min_ram = number(name, value)?,
        "protected" => image.protected = boolean(name, value)?,
        "os_hidden" => image.os_hidden = boolean(name, value)?,
        "tags" => image.tags = tags(value)?,
        _ => {
            let (name, value) = custom(name, value)?;
            image.properties.insert(name, value);
        }
    }
    Ok(())
}

/// Takes a property off an image. Only custom ones can be taken off.
pub(crate) fn remove(image: &mut Image, name: &str) -> Result<()> {
    if name == STORES {
        return Err(missing(name));
    }
    refuse_guarded(name)?;
    if is_base(name) {
        return Err(ApiError::denied(format!("Property {name} may not be removed.")));
    }
    let removed = image.properties.remove(name);
    removed.map(drop).ok_or_else(|| missing(name))
}

/// Refuses to replace a custom property that is not there.
pub(crate) fn expect_present(image: &Image, name: &str) -> Result<()> {
    if name == STORES {
        return Err(missing(name));
    }
    refuse_guarded(name)?;
    match is_base(name) || image.properties.contains_key(name) {
        true => Ok(()),
        false => Err(missing(name)),
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::clash(format!("Property {name} does not exist."))
}

fn is_base(name: &str) -> bool {
    const BASE: &[&str] = &[
        "id",
        "name",
        "owner",
        "visibility",
        "disk_format",
        "container_format",
        "min_disk",
        "min_ram",
        "protected",
        "os_hidden",
        "tags",
    ];
    BASE.contains(&name)
}

fn refuse_guarded(name: &str) -> Result<()> {
    if READ_ONLY.contains(&name) || name == "id" {
        return Err(ApiError::forbidden(format!("Attribute '{name}' is read-only.")));
    }
    if is_reserved(name) {
        return Err(ApiError::forbidden(format!("Attribute '{name}' is reserved.")));
    }
    if name == STORES {
        return Err(ApiError::forbidden(format!("Attribute '{name}' is read-only.")));
    }
    Ok(())
}

/// Whether a name would be mistaken for something else.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with(RESERVED_PREFIX)
}

/// The formats say how to read the bytes: once there are bytes, they stay.
fn only_before_data(image: &Image, name: &str) -> Result<()> {
    match image.status {
        Status::Queued | Status::Importing => Ok(()),
        _ => Err(ApiError::forbidden(format!(
            "Attribute {name} can be only replaced for a queued image."
        ))),
    }
}

fn text_or_null(name: &str, value: &Value) -> Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() <= LONGEST => Ok(Some(text.clone())),
        Value::String(_) => Err(mismatch(name, &format!("it is over {LONGEST} characters"))),
        other => Err(mismatch(name, &format!("{other} is not of type 'null', 'string'"))),
    }
}

fn word<T: std::str::FromStr<Err = UnknownName>>(name: &str, value: &Value) -> Result<T> {
    let text = value.as_str().ok_or_else(|| mismatch(name, &format!("{value} is not a string")))?;
    text.parse().map_err(|unknown: UnknownName| mismatch(name, &unknown.to_string()))
}

fn word_or_null<T: std::str::FromStr<Err = UnknownName>>(
    name: &str,
    value: &Value,
) -> Result<Option<T>> {
    if value.is_null() { Ok(None) } else { word(name, value).map(Some) }
}

fn number(name: &str, value: &Value) -> Result<u32> {
    let number =
        whole(value).ok_or_else(|| mismatch(name, &format!("{value} is not of type 'integer'")))?;
    if number < 0 {
        return Err(ApiError::bad_request(format!(
            "Invalid value '{number}' for parameter '{name}': Cannot be a negative value"
        )));
    }
    u32::try_from(number).ok().filter(|number| *number <= LARGEST).ok_or_else(|| {
        ApiError::bad_request(format!("'{name}' value out of range, must not exceed {LARGEST}."))
    })
}

/// An integer, which may be written as `5.0` (JSON Schema, "integer").
fn whole(value: &Value) -> Option<i128> {
    let float = || value.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i128);
    let integer = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    integer.or_else(float)
}

fn boolean(name: &str, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| mismatch(name, &format!("{value} is not of type 'boolean'")))
}

fn tags(value: &Value) -> Result<BTreeSet<String>> {
    let array = value.as_array().ok_or_else(|| mismatch("tags", "it is not of type 'array'"))?;
    array
        .iter()
        .map(|tag| tag.as_str().ok_or("a tag is not a string").and_then(checked_tag))
        .collect::<Result<_, _>>()
        .map_err(|why| mismatch("tags", why))
}

/// A tag, if it is of a length that Glance takes.
pub(crate) fn checked_tag(tag: &str) -> Result<String, &'static str> {
    match tag.chars().count() {
        ..=LONGEST => Ok(tag.to_owned()),
        _ => Err("a tag has 255 characters at most"),
    }
}

fn custom(name: &str, value: &Value) -> Result<(String, String)> {
    if name.chars().count() > LONGEST {
        let message = "Custom property should not be greater than 255 characters.";
        return Err(ApiError::bad_request(message));
    }
    match value {
        Value::String(text) if text.len() <= LONGEST_VALUE => Ok((name.to_owned(), text.clone())),
        Value::String(_) => Err(mismatch(name, &format!("it is over {LONGEST_VALUE} bytes"))),
        other => Err(mismatch(name, &format!("{other} is not of type 'string'"))),
    }
}

fn mismatch(name: &str, why: &str) -> ApiError {
    ApiError::bad_request(format!(
        "Provided object does not match schema 'image': '{name}': {why}."
    ))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use image::{ImageId, Timestamp};
    use serde_json::json;

    use super::*;

    fn image() -> Image {
        Image::new(ImageId::random(), None, Timestamp::now())
    }

    #[test]
    fn each_property_takes_its_own_kind_of_value() {
        let cases = [
            ("name", json!("x"), true),
            ("name", json!(null), true),
            ("name", json!(5), false),
            ("name", json!("é".repeat(256)), false),
            ("visibility", json!("public"), true),
            ("visibility", json!("secret"), false),
            ("disk_format", json!("qcow2"), true),
            ("disk_format", json!(null), true),
            ("disk_format", json!("floppy"), false),
            ("min_ram", json!(512), true),
            ("min_ram", json!(-1), false),
            ("min_ram", json!(4_294_967_296_u64), false),
            ("protected", json!(true), true),
            ("protected", json!("true"), false),
            ("tags", json!(["a", "b", "a"]), true),
            ("tags", json!([""]), true),
            ("min_ram", json!(5.0), true),
            ("min_ram", json!(5.5), false),
            ("tags", json!("a"), false),
            ("os_distro", json!("debian"), true),
            ("os_distro", json!(12), false),
            ("", json!("x"), true),
        ];
        for (name, value, good) in cases {
            assert_eq!(set(&mut image(), name, &value).is_ok(), good, "{name} {value}");
        }
    }

    #[test]
    fn what_the_service_keeps_is_refused() {
        for name in ["status", "id", "size", "deleted", "os_glance_importing_to_stores"] {
            let error = set(&mut image(), name, &json!("x")).unwrap_err();
            assert_eq!(error.status, StatusCode::FORBIDDEN, "{name}");
        }
    }

    #[test]
    fn formats_stay_once_there_are_bytes() {
        let mut image = Image { status: Status::Active, ..image() };
        let error = set(&mut image, "disk_format", &json!("raw")).unwrap_err();
        assert_eq!(error.status, StatusCode::FORBIDDEN);
    }

    #[test]
    fn only_custom_properties_are_removed() {
        let mut image = image();
        set(&mut image, "os_distro", &json!("debian")).unwrap();
        assert!(remove(&mut image, "os_distro").is_ok());
        assert_eq!(remove(&mut image, "os_distro").unwrap_err().status, StatusCode::CONFLICT);
        assert_eq!(remove(&mut image, "name").unwrap_err().status, StatusCode::FORBIDDEN);
    }
}
