//! Patches of an image's locations: first what they come to, then the doing.

use std::sync::Arc;

use catalog::Stored;
use identity::Caller;
use identity::policy::Action;
use image::{DataHashes, Image, ImageId, Location, Status};
use serde_json::Value;

use super::operation::Operation;
use super::quota;
use super::validation::{self, Claims};
use super::{check, detach};
use crate::app::{self, App};
use crate::error::{ApiError, Result};

/// What a patch makes of an image's locations.
pub(crate) struct Plan {
    /// The image has no bytes yet: the first location makes it active.
    queued: bool,
    kept: Vec<Kept>,
    removed: Vec<Location>,
    size: Option<u64>,
    hashes: Option<DataHashes>,
}

/// A location that the image has afterwards.
struct Kept {
    location: Location,
    /// As it was, when it was there before.
    before: Option<Location>,
}

/// What the operations come to, one after the other. Nothing is changed yet; the first operation
/// that can't be done fails the whole.
pub(crate) async fn plan(
    app: &App,
    caller: &Caller,
    image: &Image,
    operations: &[Operation],
) -> Result<Plan> {
    let before =
        |location: &Location| Kept { location: location.clone(), before: Some(location.clone()) };
    let plan = Plan {
        queued: image.status == Status::Queued,
        kept: image.locations.iter().map(before).collect(),
        removed: Vec::new(),
        size: image.size,
        hashes: None,
    };
    let mut draft = Draft { app, caller, image, plan };
    for operation in operations {
        let action = match operation {
            Operation::Add { .. } | Operation::Replace { .. } => Action::SetImageLocation,
            Operation::Remove { .. } => Action::DeleteImageLocation,
        };
        app.policy.check(action, caller, &app::target(image))?;
        draft.apply(operation).await?;
    }
    Ok(draft.plan)
}

/// Does what was planned, and returns the image as it is then.
pub(crate) async fn carry_out(app: &Arc<App>, image: Image, plan: Plan) -> Result<Image> {
    let Plan { queued, kept, removed, size, hashes } = plan;
    let mut image = image;
    let mut inactive = queued;
    for Kept { location, before } in &kept {
        match before {
            Some(before) if before == location => {}
            Some(before) => {
                image = app.catalog.describe_location(image.id, before, location).await?;
            }
            None if inactive => {
                let size = size.unwrap_or_default();
                let (location, hashes) = (location.clone(), hashes.clone());
                let stored = Stored { location, size, virtual_size: None, hashes, upload: None };
                image = app.catalog.activate(image.id, &stored).await?;
                inactive = false;
            }
            None => image = app.catalog.add_location(image.id, location).await?,
        }
    }
    for location in &removed {
        image = detach(app, &image, location).await?;
    }
    Ok(app.settled(image))
}

struct Draft<'a> {
    app: &'a App,
    caller: &'a Caller,
    image: &'a Image,
    plan: Plan,
}

impl Draft<'_> {
    async fn apply(&mut self, operation: &Operation) -> Result<()> {
        match operation {
            Operation::Add { place, value } => self.add(place, value).await,
            Operation::Replace { values } => self.replace(values).await,
            Operation::Remove { place } => self.remove(place),
        }
    }

    async fn add(&mut self, place: &str, value: &Value) -> Result<()> {
        self.permit("add", &[Status::Active, Status::Queued])?;
        let (location, claims) = self.parse(value)?;
        self.claim(&[claims])?;
        let place = position(place, self.plan.kept.len())
            .ok_or_else(|| ApiError::bad_request("Invalid position for adding a location."))?;
        quota::expect_place(self.app, self.plan.kept.len() + 1)?;
        let size = self.take(place, location).await?;
        self.expect_room(size, None).await
    }

    async fn replace(&mut self, values: &[Value]) -> Result<()> {
        if values.is_empty() {
            return Err(ApiError::denied("Cannot set locations to empty list."));
        }
        self.permit("replace", &[Status::Active, Status::Queued])?;
        let parsed = values.iter().map(|value| self.parse(value)).collect::<Result<Vec<_>>>()?;
        let (locations, claims): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
        self.claim(&claims)?;
        if !self.plan.kept.is_empty() {
            return self.describe(locations);
        }
        quota::expect_place(self.app, locations.len())?;
        let count = locations.len() as u64;
        let mut size = 0;
        for location in locations {
            size = self.take(self.plan.kept.len(), location).await?;
        }
        self.expect_room(size.saturating_mul(count), Some(self.image.id)).await
    }

    async fn expect_room(&self, size: u64, replaced: Option<ImageId>) -> Result<()> {
        quota::expect_room(self.app, self.caller.project_id.as_deref(), size, replaced).await
    }

    fn remove(&mut self, place: &str) -> Result<()> {
        self.permit("remove", &[Status::Active])?;
        if self.plan.kept.len() == 1 {
            return Err(ApiError::denied("Cannot remove last location in the image."));
        }
        let last = self.plan.kept.len().saturating_sub(1);
        let place = position(place, last)
            .filter(|place| *place < self.plan.kept.len())
            .ok_or_else(|| ApiError::bad_request("Invalid position for removing a location."))?;
        self.plan.removed.extend(self.plan.kept.remove(place).before);
        Ok(())
    }

    /// Only who sees locations may change them, and only in some states.
    fn permit(&self, what: &str, states: &[Status]) -> Result<()> {
        if !self.app.locations.all {
            let what = if what == "replace" { "update" } else { what };
            return Err(ApiError::forbidden(format!(
                "It's not allowed to {what} locations if locations are invisible."
            )));
        }
        match states.contains(&self.image.status) {
            true => Ok(()),
            false => Err(ApiError::conflict(format!(
                "It's not allowed to {what} locations if image status is {}.",
                self.image.status
            ))),
        }
    }

    /// The store of a location is the one that its URI is of, whatever a client calls it.
    fn parse(&self, value: &Value) -> Result<(Location, Claims)> {
        let (location, claims) = validation::location(value)?;
        let found = self.app.stores.found(&location.uri).store;
        Ok((Location { store: found.or(location.store), ..location }, claims))
    }

    fn claim(&mut self, claims: &[Claims]) -> Result<()> {
        let algorithm = &self.app.limits.hash_algorithm;
        if let Some(hashes) = validation::digests(self.image, claims, algorithm)? {
            self.plan.hashes = Some(hashes);
        }
        Ok(())
    }

    /// Says how large the image is, each time.
    async fn take(&mut self, place: usize, location: Location) -> Result<u64> {
        let size = check(self.app, self.image.id, &location).await?;
        if self.plan.kept.iter().any(|kept| kept.location == location) {
            let message = format!("The location {} already exists", location.uri);
            return Err(ApiError::bad_request(message));
        }
        let size = *self.plan.size.get_or_insert(size);
        let place = place.min(self.plan.kept.len());
        self.plan.kept.insert(place, Kept { location, before: None });
        Ok(size)
    }

    /// The same URLs with other metadata.
    fn describe(&mut self, locations: Vec<Location>) -> Result<()> {
        let mut left: Vec<_> = locations.iter().collect();
        for kept in &mut self.plan.kept {
            // A client names it as it was shown, and so without what keeps it readable.
            let known = [kept.location.uri.clone(), kept.location.shown_uri()];
            let same = left.iter().position(|location| known.contains(&location.uri));
            let same = same.map(|place| left.remove(place)).ok_or_else(not_empty)?;
            let [uri, _] = known;
            kept.location = Location { uri, ..same.clone() };
        }
        if left.is_empty() { Ok(()) } else { Err(not_empty()) }
    }
}

/// Glance repeats the locations in this message; they are known to who asked, or none of theirs.
fn not_empty() -> ApiError {
    ApiError::bad_request("Original locations is not empty: only their metadata can be replaced.")
}

/// A place in the list, where `-` is `last`.
fn position(place: &str, last: usize) -> Option<usize> {
    match place {
        "-" => Some(last),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}
