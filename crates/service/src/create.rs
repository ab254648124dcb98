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
        property::set(&mut image, name, value)?;
    }
    check_quotas(&image, limits)?;
    Ok(image)
}

/// Refuses more properties or tags than the quotas allow.
pub(crate) fn check_quotas(image: &Image, limits: &Limits) -> Result<()> {
    // Those of the service itself don't count.
    let own = |name: &&String| !name.starts_with("os_glance");
    let counts = [
        ("properties", image.properties.keys().filter(own).count(), limits.properties),
        ("tags", image.tags.len(), limits.tags),
    ];
    for (what, attempted, maximum) in counts {
        if attempted > maximum {
            return Err(ApiError::too_large(format!(
                "The limit has been exceeded on the number of allowed image {what}. \
                 Attempted: {attempted}, Maximum: {maximum}"
            )));
        }
    }
    Ok(())
}

fn id(value: Option<&Value>) -> Result<ImageId> {
    let Some(value) = value else { return Ok(ImageId::random()) };
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Provided object does not match schema 'image': 'id': {value} is not a UUID."
        ))
    })
}
