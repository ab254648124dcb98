//! Why a connection can't be used any more.

use std::io;

use openssl::ssl;

/// Why a connection can't be used any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The connection itself.
    #[error("{0}")]
    Io(io::Error),
    /// The other side is not let in.
    #[error("the other side has not proven who it is: {0}")]
    Unproven(String),
    /// The other side doesn't let us in.
    #[error("the other side does not take our proof of who we are ({0}); its log says why")]
    Refused(String),
    /// The other side has another secret, or none.
    #[error("the other side does not know the same secret ({0})")]
    Secret(String),
    /// Others came before it had proven anything.
    #[error("too many others came before it had proven who it is")]
    Crowded,
    /// There are as many connections as there may be.
    #[error("there are {0} connections already, which is as many as there may be")]
    Full(usize),
    /// It spoke of something else.
    #[error("the other side speaks another language")]
    Stranger,
    /// It speaks another version.
    #[error(
        "the {who} (tintype {software}) speaks version {theirs} of the protocol, this tintype \
         speaks version {ours}; upgrade the older one"
    )]
    Version {
        /// Who the other side is.
        who: &'static str,
        /// Its release.
        software: String,
        /// Its version.
        theirs: u32,
        /// Ours.
        ours: u32,
    },
    /// A frame of more bytes than there can be.
    #[error("a message of {0} bytes, which is more than there may be")]
    TooLong(usize),
    /// Nothing was heard.
    #[error("no sign of life")]
    Silent,
}

impl Broken {
    /// Whether it is as likely to be so the next time.
    pub(super) fn stays(&self) -> bool {
        use Broken::{Refused, Secret, Stranger, Unproven, Version};
        matches!(self, Version { .. } | Stranger | Unproven(_) | Refused(_) | Secret(_))
    }

    /// What it means between sides that prove themselves with a secret.
    pub(super) fn between_secrets(self) -> Self {
        match self {
            Self::Unproven(why) | Self::Refused(why) => Self::Secret(why),
            other => other,
        }
    }
}

impl From<ssl::Error> for Broken {
    fn from(error: ssl::Error) -> Self {
        match error.into_io_error() {
            Ok(error) => Self::Io(error),
            Err(error) => Self::of_tls(&error),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<ssl::Error>()) {
            Some(tls) => Self::of_tls(tls),
            None => Self::Io(error),
        }
    }
}

/// OpenSSL's reasons from here on are alerts, which the other side sends (`SSL_AD_REASON_OFFSET`).
const ALERTS: std::ops::Range<i32> = 1000..1256;

impl Broken {
    fn of_tls(error: &ssl::Error) -> Self {
        let first = error.ssl_error().and_then(|stack| stack.errors().first());
        let Some(first) = first else { return Self::Unproven(error.to_string()) };
        let reason = first.reason().map_or_else(|| first.to_string(), str::to_owned);
        match ALERTS.contains(&first.reason_code()) {
            true => Self::Refused(reason),
            false => Self::Unproven(reason),
        }
    }
}
