//! What clients say of bytes that the service does not receive from them: `validation_data`.

use std::collections::BTreeMap;

use http::StatusCode;
use image::{DataHashes, Image, Location, Status};
use serde_json::{Map, Value};

use crate::error::{ApiError, Result};

/// Characters of a URL, as Glance's schema says.
const LONGEST_URL: usize = 255;

/// The members of `validation_data`, with the fewest and most characters of each.
const MEMBERS: &[(&str, usize, usize)] =
    &[("checksum", 32, 32), ("os_hash_algo", 0, 64), ("os_hash_value", 0, 128)];

/// What a client says of bytes.
pub(super) type Claims = BTreeMap<String, String>;

/// A location as a patch names it, with what it claims of its bytes.
pub(super) fn location(value: &Value) -> Result<(Location, Claims)> {
    let fields = value.as_object().ok_or_else(|| mismatch(format!("{value} is no object")))?;
    let url = fields.get("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| mismatch("'url' is a required property"))?;
    if url.chars().count() > LONGEST_URL {
        return Err(mismatch(format!("'url' is over {LONGEST_URL} characters")));
    }
    let metadata = fields.get("metadata").and_then(Value::as_object);
    let metadata = metadata.ok_or_else(|| mismatch("'metadata' is a required property"))?;
    if !metadata.values().all(is_plain) {
        return Err(mismatch("'metadata' takes texts, lists and objects"));
    }
    let claims = fields.get("validation_data").map(claims).transpose()?.unwrap_or_default();
    Ok((Location::described(url, metadata.clone()), claims))
}

/// glance_store's `check_location_metadata`.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(fields) => fields.values().all(is_plain),
        _ => false,
    }
}

fn claims(value: &Value) -> Result<Claims> {
    let fields = value.as_object().ok_or_else(|| mismatch("'validation_data' is no object"))?;
    for required in ["os_hash_algo", "os_hash_value"] {
        if !fields.contains_key(required) {
            return Err(mismatch(format!("'{required}' is a required property")));
        }
    }
    fields.iter().map(|(name, value)| claim(name, value)).collect()
}

fn claim(name: &str, value: &Value) -> Result<(String, String)> {
    let member = MEMBERS.iter().find(|(known, ..)| *known == name);
    let (_, fewest, most) = member.ok_or_else(|| mismatch(format!("'{name}' was unexpected")))?;
    match value.as_str() {
        Some(text) if (*fewest..=*most).contains(&text.chars().count()) => {
            Ok((name.to_owned(), text.to_owned()))
        }
        _ => Err(mismatch(format!("'{name}' takes {fewest} to {most} characters"))),
    }
}

/// The digests that an image gets from these claims; `None` when they say nothing new. As in
/// Glance: what is known already may be repeated but not changed, and only a queued image takes
/// more.
pub(super) fn digests(
    image: &Image,
    claims: &[Claims],
    algorithm: &str,
) -> Result<Option<DataHashes>> {
    let mut all = Claims::new();
    for (name, value) in claims.iter().flatten() {
        if all.insert(name.clone(), value.clone()).is_some_and(|before| before != *value) {
            return Err(ApiError::conflict(format!("Conflicting values for {name}")));
        }
    }
    let known = image.hashes.as_ref();
    let current = |name: &str| match name {
        "checksum" => known.and_then(|hashes| hashes.checksum.as_deref()),
        "os_hash_algo" => known.map(|hashes| hashes.algorithm.as_str()),
        _ => known.map(|hashes| hashes.value.as_str()),
    };
    all.retain(|name, value| current(name) != Some(value));
    if let Some(name) = all.keys().find(|name| current(name).is_some()) {
        let message = format!("{name} is already set with a different value");
        return Err(ApiError::conflict(message));
    }
    if all.is_empty() {
        return Ok(None);
    }
    if image.status != Status::Queued {
        let names = all.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(ApiError::conflict(format!(
            "New value(s) for {names} may only be provided when image status is 'queued'"
        )));
    }
    let checksum = all.remove("checksum");
    if let Some(checksum) = &checksum {
        hexadecimal("checksum", checksum, "md5", StatusCode::CONFLICT)?;
    }
    let found = all.remove("os_hash_algo").unwrap_or_default();
    if found != algorithm {
        let message = format!("os_hash_algo must be {algorithm}, not {found}");
        return Err(ApiError::conflict(message));
    }
    let value = all.remove("os_hash_value").unwrap_or_default();
    hexadecimal("os_hash_value", &value, algorithm, StatusCode::CONFLICT)?;
    Ok(Some(DataHashes { checksum, algorithm: found, value }))
}

/// What `POST …/locations` claims: an algorithm of Glance's list, and a digest by it.
pub(super) fn claimed(fields: &Map<String, Value>) -> Result<Option<(String, String)>> {
    const ALGORITHMS: &[&str] = &["sha1", "sha256", "sha512", "md5"];
    let Some(claims) = fields.get("validation_data") else { return Ok(None) };
    let claims = claims.as_object().ok_or_else(|| mismatch("'validation_data' is no object"))?;
    if let Some(name) = claims.keys().find(|name| !name.starts_with("os_hash_")) {
        return Err(mismatch(format!("'{name}' was unexpected")));
    }
    if claims.is_empty() {
        return Ok(None);
    }
    let text = |name: &str| {
        let text = claims.get(name).and_then(Value::as_str);
        text.ok_or_else(|| mismatch(format!("'{name}' is a required property")))
    };
    let (algorithm, value) = (text("os_hash_algo")?, text("os_hash_value")?);
    if !ALGORITHMS.contains(&algorithm) {
        return Err(mismatch(format!("'{algorithm}' is not one of {}", ALGORITHMS.join(", "))));
    }
    hexadecimal("os_hash_value", value, algorithm, StatusCode::BAD_REQUEST)?;
    Ok(Some((algorithm.to_owned(), value.to_owned())))
}

fn hexadecimal(name: &str, value: &str, algorithm: &str, status: StatusCode) -> Result<()> {
    if !value.len().is_multiple_of(2) || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("{name} ({value}) is not a valid hexadecimal value");
        return Err(ApiError::new(status, message));
    }
    let size = signature::digest_named(algorithm).map_or(0, |digest| digest.size());
    match value.len() / 2 == size {
        true => Ok(()),
        false => Err(ApiError::new(
            status,
            format!(
                "{name} ({value}) is not the correct size for {algorithm} (should be {size} bytes)"
            ),
        )),
    }
}

fn mismatch(why: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(format!("Provided object does not match schema 'image': {why}."))
}

#[cfg(test)]
mod tests {
    use image::{ImageId, Timestamp};
    use serde_json::json;

    use super::*;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    fn image() -> Image {
        Image::new(ImageId::random(), None, Timestamp::now())
    }

    fn claims(value: Value) -> Claims {
        super::claims(&value).unwrap()
    }

    #[test]
    fn locations_are_checked_whole() {
        let good = json!({"url": "http://x/y", "metadata": {"a": ["b", {"c": "d"}]}});
        assert!(location(&good).is_ok());
        for bad in [
            json!("x"),
            json!({"metadata": {}}),
            json!({"url": "x"}),
            json!({"url": 5, "metadata": {}}),
            json!({"url": "x".repeat(256), "metadata": {}}),
            json!({"url": "x", "metadata": {"a": 1}}),
            json!({"url": "x", "metadata": {}, "validation_data": {"os_hash_algo": "md5"}}),
            json!({"url": "x", "metadata": {}, "validation_data":
                {"os_hash_algo": "md5", "os_hash_value": MD5, "checksum": "short"}}),
            json!({"url": "x", "metadata": {}, "validation_data":
                {"os_hash_algo": "md5", "os_hash_value": MD5, "size": "5"}}),
        ] {
            let error = location(&bad).unwrap_err();
            assert_eq!(error.status, StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    #[test]
    fn a_queued_image_takes_digests_that_can_be() {
        let good = claims(json!({"os_hash_algo": "md5", "os_hash_value": MD5}));
        let hashes = digests(&image(), &[good.clone(), good.clone()], "md5").unwrap().unwrap();
        assert_eq!((hashes.value.as_str(), hashes.checksum), (MD5, None));
        let active = Image { status: Status::Active, ..image() };
        let other = claims(json!({"os_hash_algo": "md5", "os_hash_value": "0".repeat(32)}));
        let conflicts = [
            digests(&image(), &[good.clone(), other.clone()], "md5"),
            digests(&image(), std::slice::from_ref(&good), "sha512"),
            digests(&active, std::slice::from_ref(&good), "md5"),
            digests(
                &image(),
                &[claims(json!({"os_hash_algo": "md5", "os_hash_value": "zz"}))],
                "md5",
            ),
            digests(
                &image(),
                &[claims(json!({"os_hash_algo": "md5", "os_hash_value": "aa"}))],
                "md5",
            ),
        ];
        for conflict in conflicts {
            assert_eq!(conflict.unwrap_err().status, StatusCode::CONFLICT);
        }
        let hashes = DataHashes { checksum: None, algorithm: "md5".into(), value: MD5.into() };
        let known = Image { status: Status::Active, hashes: Some(hashes), ..image() };
        assert_eq!(digests(&known, &[good], "md5").unwrap(), None);
        assert!(digests(&known, &[other], "md5").is_err());
    }
}
