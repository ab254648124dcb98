//! What a request is answered when it fails: the one place that decides HTTP status codes.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use identity::policy::Forbidden;
use image::ImageId;

use crate::intake::Refused;

/// What WebOb says of every request without a token, and so Keystone's middleware.
const UNAUTHORIZED: &str = "This server could not verify that you are authorized to access the \
                            document you requested. Either you supplied the wrong credentials \
                            (e.g., bad password), or your browser does not understand how to \
                            supply the credentials required.";

/// The result of handling a request.
pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

/// A failed request: a status, and a message for a person.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// What stands below the message, on a line of its own.
    pub(crate) detail: String,
    /// The body is the message, without the frame that WebOb has for a status.
    pub(crate) is_bare: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            detail: String::new(),
            is_bare: false,
            headers: Vec::new(),
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// The signature of an image's bytes is not right, or can't be checked.
    pub(crate) fn unverified(id: ImageId, why: &dyn std::error::Error) -> Self {
        let message = format!("Signature verification failed for image {id}: {why}");
        tracing::error!("{message}");
        Self::bad_request(message)
    }

    /// Something failed that the caller can't mend. The cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "request failed");
        let message = "The server has either erred or is incapable of performing the requested \
                       operation.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// Something is down that will come back.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        let retry = HeaderValue::from_static("10");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with(header::RETRY_AFTER, retry)
    }

    /// The same, where Glance says which image has too many of what.
    pub(crate) fn about(self, what: &str, image: ImageId) -> Self {
        let message = format!("Image {what} limit exceeded for image {image}: {}:", self.message);
        Self { message, ..self }
    }

    /// Where Glance leaves a status's own words as they are, and says the rest below.
    pub(crate) fn denied(detail: impl Into<String>) -> Self {
        Self::forbidden("Access was denied to this resource.").below(detail)
    }

    /// The same for a conflict.
    pub(crate) fn clash(detail: impl Into<String>) -> Self {
        let message = "There was a conflict when trying to complete your request.";
        Self::conflict(message).below(detail)
    }

    pub(crate) fn below(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn bare(self) -> Self {
        Self { is_bare: true, ..self }
    }

    /// Nobody is known to call. `identity_url` is where clients get tokens.
    pub(crate) fn unidentified(error: identity::Error, identity_url: &str) -> Self {
        match error {
            identity::Error::NotAuthenticated => {
                let challenge = HeaderValue::try_from(format!("Keystone uri=\"{identity_url}\""));
                let challenge = challenge.unwrap_or(HeaderValue::from_static("Keystone"));
                Self::new(StatusCode::UNAUTHORIZED, UNAUTHORIZED)
                    .with(header::WWW_AUTHENTICATE, challenge)
            }
            identity::Error::Unavailable => Self::unavailable(error.to_string()),
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The body is made where the request's `Accept` is known: see `rendering`.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers.clone());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<catalog::Error> for ApiError {
    fn from(error: catalog::Error) -> Self {
        use catalog::Error as E;
        match &error {
            E::NotFound(id) => Self::not_found(format!("No image found with ID {id}")),
            E::MemberNotFound { project, image } => Self::not_found(format!(
                "{project} not found in the member list of the image {image}."
            )),
            E::LocationNotFound { .. } => Self::not_found(error.to_string()),
            E::DuplicateLocation { .. } => Self::bad_request(error.to_string()),
            E::LastLocation(_) => Self::forbidden("Cannot remove last location in the image."),
            E::Duplicate(id) => Self::conflict(format!("Image ID {id} already exists!")),
            E::DuplicateMember { project, image } => {
                Self::conflict(format!("Member {project} is duplicated for image {image}"))
            }
            E::Conflict { .. } | E::Scrubbed(_) | E::SimilarProperties(_) => {
                Self::conflict(error.to_string())
            }
            E::OverBudget { .. } => Self::too_large(error.to_string()),
            E::Protected(id) => {
                Self::forbidden(format!("Image {id} is protected and cannot be deleted."))
            }
            E::Metadef(fault) => fault.into(),
            E::TaskNotFound(id) => Self::not_found(format!("Could not find task {id}")),
            E::LeaseLost(_) | E::UploadLost(_) | E::ImportLocked { .. } => {
                Self::conflict(error.to_string())
            }
            E::BadText(why) => Self::bad_request(why.to_string()),
            E::BadMarker(id) => Self::bad_request(format!("No image found with ID {id}")),
            E::Full(_) => {
                tracing::error!(%error, "no room for the catalog");
                let message = "The disk of the image service is full.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, message)
            }
            E::ReadOnly(cause) => {
                tracing::warn!(%cause, "the catalog is read-only");
                Self::unavailable("The catalog of images takes no changes now; try again.")
            }
            E::Unavailable(cause) => {
                tracing::warn!(%cause, "the catalog is unavailable");
                Self::unavailable("The catalog of images is unavailable; try again.")
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<&catalog::metadefs::Fault> for ApiError {
    fn from(fault: &catalog::metadefs::Fault) -> Self {
        use catalog::metadefs::Fault as F;
        let message = fault.to_string();
        match fault {
            F::NamespaceNotFound(_) | F::NotFound { .. } | F::ResourceTypeNotFound(_) => {
                Self::not_found(message)
            }
            F::DuplicateNamespace(_)
            | F::DuplicateNamespaceByUpdate(_)
            | F::Duplicate { .. }
            | F::DuplicateByUpdate { .. } => Self::conflict(message),
            F::NamespaceProtected(_) | F::Protected { .. } => Self::forbidden(message),
            _ => Self::internal(fault),
        }
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        match &error {
            E::NotFound(_) | E::BadLocation(_) => {
                tracing::error!(%error, "an image's data is missing");
                Self::not_found("Image data is not found in its store.")
            }
            E::Full(_) => {
                tracing::error!(%error, "no room for image data");
                Self::too_large("Image storage media is full: there is not enough disk space.")
            }
            E::Denied { .. } => {
                tracing::error!(%error, "image data can't be written");
                Self::unavailable("Insufficient permissions on image storage media.")
            }
            E::ReadOnly(_) => Self::new(
                StatusCode::GONE,
                "Error in store configuration. Adding images to store is disabled.",
            ),
            E::InUse { .. } => Self::conflict(error.to_string()),
            E::Remote(_) => {
                tracing::warn!(%error, "image data can't be reached");
                let message = "Remote server where the image is present is unavailable.";
                Self::unavailable(message)
            }
            E::Forbidden { .. } | E::Unavailable { .. } => {
                tracing::error!(%error, "a store can't be used");
                Self::unavailable("The store of the image data is unavailable.")
            }
            E::Exists(_) => Self::conflict("Image data exists already."),
            _ => Self::internal(&error),
        }
    }
}

impl From<store::UnknownStore> for ApiError {
    fn from(store::UnknownStore(name): store::UnknownStore) -> Self {
        Self::bad_request(format!("Store for identifier {name} not found"))
    }
}

impl From<identity::limits::Error> for ApiError {
    fn from(error: identity::limits::Error) -> Self {
        tracing::error!(%error, "limits are not known");
        Self::unavailable("The identity service does not tell the limits of the project.")
    }
}

/// What an upload is refused for.
impl From<Refused> for ApiError {
    fn from(why: Refused) -> Self {
        match &why {
            Refused::TooLarge(_) | Refused::OverQuota { .. } => Self::too_large(why.to_string()),
            Refused::Longer { .. } | Refused::Shorter { .. } => Self::bad_request(why.to_string()),
            Refused::Digest(error) => Self::internal(error),
            Refused::Gone(_) | Refused::Silent(_) => {
                tracing::info!(%why, "upload ended early");
                Self::bad_request(format!("The upload ended early: {why}."))
            }
            Refused::Unsafe(_) => {
                tracing::warn!(%why, "image data refused");
                let message = format!("Image data was refused: {why}.");
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
            }
        }
    }
}

impl From<Forbidden> for ApiError {
    fn from(error: Forbidden) -> Self {
        Self::forbidden(error.to_string())
    }
}
