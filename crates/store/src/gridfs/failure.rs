//! What a server says went wrong, and what goes wrong on the way to it.

use mongodb::error::{Error as Failure, ErrorKind, WriteFailure};

use crate::Error;
use crate::remote::Failed;

/// Codes of `src/mongo/base/error_codes.yml` that stores tell apart.
const UNAUTHORIZED: i32 = 13;
const AUTHENTICATION_FAILED: i32 = 18;
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const INDEX_KEY_SPECS_CONFLICT: i32 = 86;
const DUPLICATE_KEY: i32 = 11000;
const OUT_OF_DISK_SPACE: i32 = 14031;

/// The server is starting, stepping down or ending; another one may have its part soon.
const PASSING: &[i32] = &[
    91,    // ShutdownInProgress
    189,   // PrimarySteppedDown
    10107, // NotWritablePrimary
    11600, // InterruptedAtShutdown
    11602, // InterruptedDueToReplStateChange
    13435, // NotPrimaryNoSecondaryOk
    13436, // NotPrimaryOrSecondary
];

/// The error of an operation for what is at `uri`, in a store of this name. Its text has nothing of
/// the string that the server was reached by.
pub(super) fn failed(store: &str, uri: &str, failure: &Failure) -> Failed {
    let (store, why) = (store.to_owned(), words(&failure.kind));
    match (&*failure.kind, code(&failure.kind)) {
        (ErrorKind::Authentication { .. }, _) | (_, Some(UNAUTHORIZED | AUTHENTICATION_FAILED)) => {
            Failed::Lasting(Error::Forbidden { store, why })
        }
        (_, Some(DUPLICATE_KEY)) => Failed::Lasting(Error::Exists(uri.to_owned())),
        (_, Some(OUT_OF_DISK_SPACE)) => Failed::Lasting(Error::Full(store)),
        (ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. }, _) => {
            Failed::Passing(Error::Unavailable { store, why })
        }
        (_, Some(code)) if PASSING.contains(&code) => {
            Failed::Passing(Error::Unavailable { store, why })
        }
        _ => Failed::Lasting(Error::Unavailable { store, why }),
    }
}

/// Whether there is an index of the same keys already, with other options.
pub(super) fn is_other_index(failure: &Failure) -> bool {
    let code = code(&failure.kind);
    matches!(code, Some(INDEX_OPTIONS_CONFLICT | INDEX_KEY_SPECS_CONFLICT))
}

/// The server's code, and its words.
fn answer(kind: &ErrorKind) -> Option<(i32, &str)> {
    match kind {
        ErrorKind::Command(error) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            Some((error.code, &error.message))
        }
        ErrorKind::InsertMany(errors) => {
            let of_document = errors.write_errors.iter().flatten().next();
            let of_concern = errors.write_concern_error.as_ref();
            of_document
                .map(|error| (error.code, error.message.as_str()))
                .or(of_concern.map(|error| (error.code, error.message.as_str())))
        }
        _ => None,
    }
}

fn code(kind: &ErrorKind) -> Option<i32> {
    answer(kind).map(|(code, _)| code)
}

fn words(kind: &ErrorKind) -> String {
    match (kind, answer(kind)) {
        (_, Some((code, words))) => format!("{words} (code {code})"),
        (ErrorKind::Io(error), None) => error.to_string(),
        (
            ErrorKind::Authentication { message, .. } | ErrorKind::ServerSelection { message, .. },
            None,
        ) => message.clone(),
        (other, None) => other.to_string(),
    }
}
