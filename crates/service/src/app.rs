//! What every request shares.

use std::ops::Deref;
use std::sync::Arc;

use catalog::metadefs::Metadefs;
use catalog::{Catalog, Viewer};
use http::{HeaderMap, header};
use identity::policy::{Action, Policy, Target};
use identity::{Authenticator, Caller};
use image::{Image, ImageId};
use notify::Notifier;
use store::{Principal, Secret, Stores};

use crate::cache::Cache;
use crate::error::{ApiError, Result};
use crate::forwarded;
use crate::health::Health;
use crate::imports::Imports;
use crate::keys::{Keys, Token};
use crate::leftovers::Leftovers;
use crate::limits::Limits;
use crate::locations::LocationSettings;
use crate::receiving::Receiving;
use crate::rules::{Operation, Rules};
use crate::view::Showing;

/// The service as whoever asks it uses it.
pub struct App {
    parts: Arc<Parts>,
    /// Bytes.
    pub stores: Stores,
    /// Whether the stores answer.
    pub(crate) health: Arc<Health>,
}

/// The parts that the service is made of, but for the stores.
pub struct Parts {
    /// Records.
    pub catalog: Arc<dyn Catalog>,
    /// Metadata definitions.
    pub metadefs: Arc<dyn Metadefs>,
    /// Tokens.
    pub authenticator: Arc<dyn Authenticator>,
    /// What callers may do.
    pub policy: Policy,
    /// Uploads.
    pub receiving: Arc<Receiving>,
    /// What is left in stores.
    pub leftovers: Arc<Leftovers>,
    /// Imports and tasks.
    pub imports: Arc<Imports>,
    /// Bounds on what a request may ask for.
    pub limits: Limits,
    /// The image cache, where there is one.
    pub cache: Option<Arc<Cache>>,
    /// What the operator has decided about records.
    pub rules: Rules,
    /// What of locations is shown, and how they are taken.
    pub locations: LocationSettings,
    /// Certificates of signed images, and keys of encrypted ones.
    pub keys: Keys,
    /// Who is told of what happens.
    pub notifier: Notifier,
    /// `public_endpoint`: the URL under which clients reach the service, without a slash at its
    /// end. `None` says of each request what its `Host` says.
    pub public_endpoint: Option<String>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl App {
    /// As the service itself uses it.
    pub fn new(parts: Parts, stores: Stores) -> Self {
        Self { parts: Arc::new(parts), stores, health: Arc::default() }
    }

    /// The same as the sender of a request uses it.
    pub(crate) fn used_by(self: &Arc<Self>, caller: &Caller, request: &HeaderMap) -> Arc<Self> {
        self.acting_for(caller.project_id.as_deref(), Token::of(request).as_ref())
    }

    /// The same as the bearer of a token uses it: stores that keep bytes in the accounts of callers
    /// act with this token.
    pub(crate) fn acting_for(
        self: &Arc<Self>,
        project: Option<&str>,
        token: Option<&Token>,
    ) -> Arc<Self> {
        let acting = || {
            let token = Secret::new(token?.header().to_str().ok()?);
            self.stores.on_behalf(&Principal { token, project: project?.to_owned() })
        };
        match acting() {
            Some(stores) => {
                let (parts, health) = (self.parts.clone(), self.health.clone());
                Arc::new(Self { parts, stores, health })
            }
            None => self.clone(),
        }
    }

    /// The URL under which the sender of this request reaches the service.
    pub(crate) fn url(&self, request: &HeaderMap) -> String {
        self.public_endpoint.clone().unwrap_or_else(|| {
            if self.rules.behind_proxy {
                return forwarded::url(request);
            }
            let host = request.get(header::HOST).and_then(|host| host.to_str().ok());
            format!("http://{}", host.unwrap_or("localhost"))
        })
    }

    /// An image that the caller may see. What is hidden from the caller does not exist for it.
    pub(crate) async fn visible(&self, caller: &Caller, id: &str) -> Result<Image> {
        let image = self.found(caller, id).await?;
        let seen = self.policy.check(Action::GetImage, caller, &target(&image));
        seen.map(|()| image).map_err(|_| unknown(id))
    }

    /// An image that the catalog shows to the caller, whatever the policy says.
    async fn found(&self, caller: &Caller, id: &str) -> Result<Image> {
        let image_id: ImageId = id.parse().map_err(|_| unknown(id))?;
        let found = self.catalog.get(&viewer(caller), image_id).await;
        let image = found.map_err(|error| match error {
            // As it was written: an id may come in capitals.
            catalog::Error::NotFound(_) => unknown(id),
            error => error.into(),
        })?;
        Ok(self.settled(image))
    }

    /// The image with its locations as they are read: each with its store, the best one first.
    pub(crate) fn settled(&self, mut image: Image) -> Image {
        self.stores.settle(&mut image.locations);
        image
    }

    /// What of an image's locations this caller is shown.
    pub(crate) fn showing(&self, caller: &Caller) -> Showing {
        Showing {
            stores: self.stores.are_named(),
            locations: self.locations.all,
            direct_url: self.locations.direct_url,
            closed_too: caller.is_admin,
        }
    }

    /// Whether the caller may do this to a custom property.
    pub(crate) fn may(&self, caller: &Caller, operation: Operation, property: &str) -> bool {
        self.rules.protections.admit(&self.policy, caller, operation, property)
    }

    /// The image without the properties that the caller may not see.
    pub(crate) fn shown(&self, caller: &Caller, mut image: Image) -> Image {
        self.rules.protections.hide(&self.policy, caller, &mut image);
        image
    }

    /// An image that the caller may do `action` to. Who may not is told so only of an image that it
    /// may see; services may do things to images that they may not, as in Glance.
    pub(crate) async fn permitted(
        &self,
        caller: &Caller,
        id: &str,
        action: Action,
    ) -> Result<Image> {
        let image = self.found(caller, id).await?;
        self.permit(caller, &image, action)?;
        Ok(image)
    }

    /// Refuses where the caller may not do `action` to an image that the catalog shows to it.
    pub(crate) fn permit(&self, caller: &Caller, image: &Image, action: Action) -> Result<()> {
        let allowed = |action| self.policy.check(action, caller, &target(image));
        allowed(action).map_err(|forbidden| match allowed(Action::GetImage) {
            Ok(()) => forbidden.into(),
            Err(_) => unknown(&image.id.to_string()),
        })
    }
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("No image found with ID {id}"))
}

/// Through whose eyes the catalog is read.
pub(crate) fn viewer(caller: &Caller) -> Viewer {
    Viewer { project: caller.project_id.clone(), is_admin: caller.is_admin }
}

/// What the policy sees of an image.
pub(crate) fn target(image: &Image) -> Target<'_> {
    Target::image(image)
}
