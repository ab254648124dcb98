//! The body of `POST /v2/images`.

use identity::Caller;
use image::{Image, ImageId, Timestamp};
use serde_json::Value;

use crate::error::{ApiError, Result};
use crate::limits::Limits;
use crate::property;

/// The record that a caller asks for.
pub(crate) fn parse(body: &Value, caller: &Caller, limits: &Limits) -> Result<Image> {
    parse_owned(body, caller.project_id.clone(), limits)
}

/// The same for an owner whose request is long over.
pub(crate) fn parse_owned(body: &Value, owner: Option<String>, limits: &Limits) -> Result<Image> {
    let fields = body.as_object().ok_or_else(|| {
        ApiError::bad_request("Provided object does not match schema 'image': it is no object.")
    })?;
    let mut image = Image::new(id(fields.get("id"))?, owner, Timestamp::now());
    for (name, value) in fields.iter().filter(|(name, _)| *name != "id") {
        refuse_reserved(name)?;
        property::set(&mut image, name, value)?;
    }
    check_quotas(&image, limits)?;
    Ok(image)
}

/// What a patch is refused for too, in the words that Glance has for it here.
fn refuse_reserved(name: &str) -> Result<()> {
    let message = format!("Attribute '{name}' is reserved.");
    match name {
        "locations" => Err(ApiError::forbidden(message)),
        name if property::is_reserved(name) => Err(ApiError::denied(message)),
        _ => Ok(()),
    }
}

/// Refuses more properties or tags than the quotas allow. What the service notes for itself does
/// not count.
pub(crate) fn check_quotas(image: &Image, limits: &Limits) -> Result<()> {
    let own = |name: &&String| !name.starts_with(property::RESERVED_PREFIX);
    let properties = image.properties.keys().filter(own).count();
    check_count("properties", properties, limits.properties)?;
    check_tags(image, limits)
}

/// Refuses more tags than the quota allows.
pub(crate) fn check_tags(image: &Image, limits: &Limits) -> Result<()> {
    check_count("tags", image.tags.len(), limits.tags)
}

/// Refuses a change that adds properties, or sets tags, beyond the quotas. An image that has more
/// of them already, since a quota was lowered, may still be changed otherwise.
pub(crate) fn check_growth(before: &Image, after: &Image, limits: &Limits) -> Result<()> {
    let known = |name: &String| before.properties.contains_key(name);
    let same_tags = before.tags == after.tags;
    let limits = Limits {
        properties: if after.properties.keys().all(known) { usize::MAX } else { limits.properties },
        tags: if same_tags { usize::MAX } else { limits.tags },
        ..limits.clone()
    };
    check_quotas(after, &limits)
}

fn check_count(what: &str, attempted: usize, maximum: usize) -> Result<()> {
    if attempted <= maximum {
        return Ok(());
    }
    Err(ApiError::too_large(format!(
        "The limit has been exceeded on the number of allowed image {what}. Attempted: \
         {attempted}, Maximum: {maximum}"
    )))
}

fn id(value: Option<&Value>) -> Result<ImageId> {
    let Some(value) = value else { return Ok(ImageId::random()) };
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Provided object does not match schema 'image': 'id': {value} is not a UUID."
        ))
    })
}
