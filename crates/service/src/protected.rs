//! Property protections on what a caller sends. What the caller may not see is not there for it:
//! Glance then answers as if the property did not exist.

use identity::Caller;
use image::Image;

use crate::app::App;
use crate::error::{ApiError, Result};
use crate::rules::Operation;

/// Refuses a new image with properties that the caller may not create.
pub(crate) fn check_new(app: &App, caller: &Caller, image: &Image) -> Result<()> {
    let mut names = image.properties.keys();
    match names.find(|name| !app.may(caller, Operation::Create, name)) {
        Some(name) => Err(reserved(name)),
        None => Ok(()),
    }
}

/// Refuses a change to properties that the caller may not make. `before` is the whole image,
/// `seen` what the caller sees of it, `after` what the caller makes of that.
pub(crate) fn check_change(
    app: &App,
    caller: &Caller,
    before: &Image,
    seen: &Image,
    after: &Image,
) -> Result<()> {
    let may = |operation, name: &str| app.may(caller, operation, name);
    for (name, value) in &after.properties {
        let there = before.properties.contains_key(name);
        let admitted = match seen.properties.get(name) {
            Some(old) if old == value => true,
            Some(_) => may(Operation::Update, name),
            // Who may not see what it would replace must be allowed both.
            None if there => may(Operation::Create, name) && may(Operation::Update, name),
            None => may(Operation::Create, name),
        };
        if !admitted {
            return Err(reserved(name));
        }
    }
    let mut removed = seen.properties.keys().filter(|name| !after.properties.contains_key(*name));
    match removed.find(|name| !may(Operation::Delete, name)) {
        Some(name) => Err(reserved(name)),
        None => Ok(()),
    }
}

fn reserved(name: &str) -> ApiError {
    ApiError::forbidden(format!("Attribute '{name}' is reserved."))
}
