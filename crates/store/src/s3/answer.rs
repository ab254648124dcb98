//! What a service answers: XML of which a few elements matter, and errors.

use reqwest::StatusCode;

use crate::Error;
use crate::remote::Failed;

/// The texts of all elements of this name, in their order. The answers that are read are flat
/// enough for that, and are asked to encode names as URLs, so of XML's own there are entities only.
pub(super) fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let elements = xml.split(&open).skip(1).filter_map(|rest| rest.split_once(&close));
    elements.map(|(text, _)| unescape(text)).collect()
}

/// The text of the first element of this name.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    texts(xml, name).into_iter().next()
}

fn unescape(text: &str) -> String {
    const ENTITIES: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

/// What is written into XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Codes of errors that may pass ("List of error codes").
const PASSING: &[&str] = &[
    "BadDigest",
    // Two requests for the same object met: nothing is said of which of them will be stored.
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
];

/// Codes of errors that mean that there is no room.
const FULL: &[&str] = &["QuotaExceeded", "EntityTooLarge", "XMinioStorageFull"];

/// Codes that come in the body of a success, and the status that they have otherwise.
const STATUSES: [(&str, StatusCode); 3] = [
    ("AccessDenied", StatusCode::FORBIDDEN),
    ("NoSuchUpload", StatusCode::NOT_FOUND),
    ("PreconditionFailed", StatusCode::PRECONDITION_FAILED),
];

/// What the body of a success means, where it tells of a failure: a service begins the answer to
/// what takes long before it knows the end ("CompleteMultipartUpload").
pub(super) fn failure_in_success(store: &str, what: &str, body: &str) -> Option<Failed> {
    let code = text(body, "Code")?;
    let known = STATUSES.iter().find(|(known, _)| *known == code);
    Some(failure(store, what, known.map_or(StatusCode::OK, |(_, status)| *status), body))
}

/// What a status and a body mean that are no success. `store` and `what` are for the text.
pub(super) fn failure(store: &str, what: &str, status: StatusCode, body: &str) -> Failed {
    let store = store.to_owned();
    let code = text(body, "Code").unwrap_or_default();
    let why = match code.as_str() {
        "" => format!("{what} is answered with {status}"),
        code => format!("{what} is answered with {} {code}", status.as_u16()),
    };
    if FULL.contains(&code.as_str()) || status == StatusCode::INSUFFICIENT_STORAGE {
        return Failed::Lasting(Error::Full(store));
    }
    if PASSING.contains(&code.as_str()) || status.is_server_error() {
        return Failed::Passing(Error::Unavailable { store, why });
    }
    Failed::Lasting(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Forbidden { store, why },
        StatusCode::NOT_FOUND if code == "NoSuchBucket" => Error::Unavailable { store, why },
        StatusCode::NOT_FOUND => Error::NotFound(what.to_owned()),
        StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Error::Exists(what.to_owned()),
        _ => Error::Unavailable { store, why },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read() {
        let xml =
            "<A><UploadId>a&amp;b</UploadId><ETag>&quot;x&quot;</ETag><UploadId>c</UploadId></A>";
        assert_eq!(texts(xml, "UploadId"), ["a&b", "c"]);
        assert_eq!(text(xml, "ETag").as_deref(), Some("\"x\""));
        assert_eq!(text(xml, "None"), None);
        assert_eq!(unescape(&escape("<a> & \"b\"")), "<a> & \"b\"");
    }

    #[test]
    fn a_success_may_tell_of_a_failure() {
        let error = |code: &str| {
            let body = format!("<?xml version=\"1.0\"?>\n\n<Error><Code>{code}</Code></Error>");
            failure_in_success("s", "it", &body)
        };
        assert!(matches!(error("InternalError"), Some(Failed::Passing(Error::Unavailable { .. }))));
        assert!(matches!(error("PreconditionFailed"), Some(Failed::Lasting(Error::Exists(_)))));
        assert!(matches!(error("NoSuchUpload"), Some(Failed::Lasting(Error::NotFound(_)))));
        assert!(matches!(error("InvalidPart"), Some(Failed::Lasting(Error::Unavailable { .. }))));
        let done = "<CompleteMultipartUploadResult><ETag>t</ETag></CompleteMultipartUploadResult>";
        assert!(failure_in_success("s", "it", done).is_none());
    }

    #[test]
    fn errors_are_what_they_mean() {
        let error = |status: u16, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
            failure("s", "it", StatusCode::from_u16(status).unwrap(), &body)
        };
        assert!(matches!(error(403, "AccessDenied"), Failed::Lasting(Error::Forbidden { .. })));
        assert!(matches!(error(403, "QuotaExceeded"), Failed::Lasting(Error::Full(_))));
        assert!(matches!(error(503, "SlowDown"), Failed::Passing(Error::Unavailable { .. })));
        assert!(matches!(error(500, ""), Failed::Passing(Error::Unavailable { .. })));
        assert!(matches!(error(404, "NoSuchKey"), Failed::Lasting(Error::NotFound(_))));
        assert!(matches!(error(404, "NoSuchBucket"), Failed::Lasting(Error::Unavailable { .. })));
        assert!(matches!(error(412, "PreconditionFailed"), Failed::Lasting(Error::Exists(_))));
    }
}
