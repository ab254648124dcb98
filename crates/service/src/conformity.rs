//! Whether a record is one that the operator allows: its formats, and its custom properties.

use image::Image;

use crate::error::{ApiError, Result};
use crate::rules::Rules;

/// Refuses a new image that is not.
pub(crate) fn check_new(rules: &Rules, image: &Image) -> Result<()> {
    let missing = |name: &&String| !image.properties.contains_key(*name);
    if let Some(name) = rules.custom.required.iter().find(missing) {
        return Err(mismatch(&format!("'{name}' is a required property")));
    }
    check(rules, image, None)
}

/// Refuses a change that makes it none; what stays as it is may be what it is.
pub(crate) fn check_change(rules: &Rules, before: &Image, after: &Image) -> Result<()> {
    check(rules, after, Some(before))
}

fn check(rules: &Rules, image: &Image, before: Option<&Image>) -> Result<()> {
    let kept = |image: &Image| (image.disk_format, image.container_format);
    if before.is_none_or(|before| kept(before) != kept(image)) {
        check_listed("disk_format", image.disk_format, &rules.formats.disk)?;
        check_listed("container_format", image.container_format, &rules.formats.container)?;
    }
    for (name, value) in &image.properties {
        if before.is_some_and(|before| before.properties.get(name) == Some(value)) {
            continue;
        }
        if let Some(why) = rules.custom.complaint(name, value) {
            return Err(mismatch(&format!("'{name}': {why}")));
        }
    }
    Ok(())
}

fn check_listed<T>(name: &str, format: Option<T>, listed: &[T]) -> Result<()>
where
    T: PartialEq + std::fmt::Display,
{
    match format {
        Some(format) if !listed.contains(&format) => {
            let names: Vec<_> = listed.iter().map(|listed| format!("'{listed}'")).collect();
            let names = names.join(", ");
            Err(mismatch(&format!("'{name}': '{format}' is not one of [None, {names}]")))
        }
        _ => Ok(()),
    }
}

fn mismatch(why: &str) -> ApiError {
    ApiError::bad_request(format!("Provided object does not match schema 'image': {why}"))
}
