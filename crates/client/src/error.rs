//! What can go wrong between a caller and a cloud.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use thiserror::Error;

/// An error of this crate. Never carries a password or token.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing says which cloud to speak to.
    #[error(
        "no cloud is configured: neither OS_CLOUD nor OS_AUTH_URL is set, and none of these files \
         exists: {}",
        list(looked)
    )]
    NoCloud {
        /// Where a `clouds.yaml` was looked for.
        looked: Vec<PathBuf>,
    },

    /// The named cloud is in no file that was found.
    #[error("there is no cloud '{name}' in {}{}", list(looked), those_known(known))]
    UnknownCloud {
        /// The name asked for.
        name: String,
        /// Names that the files do hold.
        known: Vec<String>,
        /// The files read or, when none exists, looked for.
        looked: Vec<PathBuf>,
    },

    /// Several clouds are configured, and none was chosen.
    #[error("{} has several clouds ({}); choose one with --os-cloud or OS_CLOUD", file.display(), known.join(", "))]
    CloudNotChosen {
        /// The file that holds them.
        file: PathBuf,
        /// Their names.
        known: Vec<String>,
    },

    /// A `clouds.yaml` or `secure.yaml` is not what it should be. The text itself is left out: it
    /// may hold passwords.
    #[error("{}: {message}", file.display())]
    CloudsFile {
        /// The file.
        file: PathBuf,
        /// What is wrong, and at which line and column.
        message: String,
    },

    /// Something that the chosen way to log in needs is not set.
    #[error("{what} is missing: {key} is not set in {origin}")]
    Missing {
        /// In words: "the password".
        what: &'static str,
        /// The key of `clouds.yaml`, or the environment variable.
        key: &'static str,
        /// Where it was looked for.
        origin: String,
    },

    /// A setting has a value that means nothing here.
    #[error("{key} is '{value}' in {origin}: {expected}")]
    Setting {
        /// The key in `clouds.yaml`, which is also the variable without `OS_`.
        key: &'static str,
        /// What it is set to.
        value: String,
        /// What it may be.
        expected: String,
        /// Where it was found.
        origin: String,
    },

    /// The file of certificate authorities holds none.
    #[error("{}: no certificate that can be read", file.display())]
    Certificates {
        /// The file.
        file: PathBuf,
        /// Why.
        source: reqwest::Error,
    },

    /// TLS could not be set up.
    #[error("cannot set up TLS")]
    Tls {
        /// Why.
        source: reqwest::Error,
    },

    /// A local file could not be used.
    #[error("{}: cannot {action}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },

    /// A source of bytes that is not a file failed, or a destination.
    #[error("cannot {action}")]
    Stream {
        /// What was to be done.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },

    /// No answer came.
    #[error("no answer from {url}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// Why not.
        source: reqwest::Error,
    },

    /// A transfer stood still.
    #[error("nothing came for {seconds} seconds")]
    Stalled {
        /// How long.
        seconds: u64,
    },

    /// The identity service does not accept the credentials.
    #[error("{url} refuses the login of {who}: {reason}")]
    LoginRefused {
        /// The identity service.
        url: String,
        /// Who tried, without secrets.
        who: String,
        /// What the service said.
        reason: String,
    },

    /// A service answered, but not what its API promises.
    #[error("{url} answered something unexpected: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },

    /// The catalog of the cloud has no image service where it was looked for.
    #[error(
        "the cloud's catalog has no image service with interface '{interface}'{}; set \
         image_endpoint_override or OS_IMAGE_ENDPOINT_OVERRIDE if it is elsewhere{}",
        in_region(region),
        offered(found)
    )]
    NoImageService {
        /// The interface that was looked for.
        interface: String,
        /// The region that was looked for, if any.
        region: Option<String>,
        /// What the catalog has of image services, as `region/interface`.
        found: Vec<String>,
    },

    /// The service refused, or sent elsewhere what goes nowhere else.
    #[error("{message} (HTTP {})", status.as_u16())]
    Refused {
        /// The status.
        status: StatusCode,
        /// What the service said.
        message: String,
    },

    /// No task has this id.
    #[error("there is no task '{0}'")]
    NoTask(String),

    /// The task has ended, or the service can't end tasks.
    #[error("task '{0}' can't be cancelled: it has ended, or the service can't end tasks")]
    TaskStays(String),

    /// No image has this name or id.
    #[error("there is no image '{0}'")]
    NoImage(String),

    /// Several images have this name.
    #[error("{} images are named '{name}': {}; use an id", ids.len(), ids.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
    },

    /// The image holds no bytes yet.
    #[error("image {id} has no data: it is '{status}'")]
    NoData {
        /// The image.
        id: String,
        /// Its status.
        status: String,
    },

    /// The bytes that came are not those that were uploaded.
    #[error("image {id}: {algorithm} of the bytes received is {found}, the record says {expected}")]
    WrongHash {
        /// The image.
        id: String,
        /// The digest that was compared.
        algorithm: String,
        /// What the record says.
        expected: String,
        /// What came.
        found: String,
    },

    /// The bytes that came are not those that were signed, or it can't be told.
    #[error("image {id}: {source}")]
    Signature {
        /// The image.
        id: String,
        /// What is wrong.
        #[source]
        source: signature::Error,
    },

    /// The service sent more or fewer bytes than the record says, again and again.
    #[error("image {id}: {received} bytes came of {expected}")]
    WrongSize {
        /// The image.
        id: String,
        /// Bytes received.
        received: u64,
        /// Bytes that the record promises.
        expected: u64,
    },

    /// A download broke off, and would not go on.
    #[error("image {id}: the download broke off at byte {position}{}", kept(part))]
    DownloadBroken {
        /// The image.
        id: String,
        /// Bytes that arrived.
        position: u64,
        /// Where they are kept; the next download to the same file goes on from there.
        part: Option<PathBuf>,
        /// Why.
        source: Box<Error>,
    },

    /// An upload broke off.
    #[error("image {id}: the upload failed; the image is now {state}")]
    UploadBroken {
        /// The image.
        id: String,
        /// `'queued'`, `'killed'`, …; or that it is gone or could not be asked.
        state: String,
        /// Why.
        source: Box<Error>,
    },
}

impl Error {
    pub(crate) fn file(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, action, source }
    }

    /// The status of a refusal.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::UploadBroken { source, .. } | Self::DownloadBroken { source, .. } => {
                source.status()
            }
            _ => None,
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn those_known(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; it has {}", known.join(", ")) }
}

fn in_region(region: &Option<String>) -> String {
    region.as_ref().map(|region| format!(" in region '{region}'")).unwrap_or_default()
}

fn offered(found: &[String]) -> String {
    if found.is_empty() { String::new() } else { format!(" (it has {})", found.join(", ")) }
}

fn kept(part: &Option<PathBuf>) -> String {
    part.as_ref()
        .map(|part| format!("; {} is kept, and the next pull goes on from there", part.display()))
        .unwrap_or_default()
}
