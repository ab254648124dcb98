//! The id of a request, by which it is found in the logs of all services that took part in it.

use http::{HeaderMap, HeaderName, StatusCode};
use uuid::Uuid;

use crate::error::{ApiError, Result};

/// Names the request, in requests and answers.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// Glance's `max_request_id_length`.
const LONGEST: usize = 64;

/// The id that the caller chose, else a new one. Errors: one that is too long, or that would not
/// fit a line of a log.
pub(crate) fn of(headers: &HeaderMap) -> Result<String> {
    let Some(chosen) = headers.get(HEADER).filter(|chosen| !chosen.is_empty()) else {
        return Ok(new());
    };
    let chosen = chosen.to_str().ok().filter(|chosen| chosen.len() <= LONGEST);
    let Some(chosen) = chosen else {
        let message = format!("x-openstack-request-id is too long, max size {LONGEST}");
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
    };
    Ok(if chosen.starts_with("req-") { chosen.to_owned() } else { format!("req-{chosen}") })
}

/// An id that no other request has.
pub(crate) fn new() -> String {
    format!("req-{}", Uuid::new_v4())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn chosen(id: &str) -> Result<String> {
        of(&HeaderMap::from_iter([(HEADER, HeaderValue::from_str(id).unwrap())]))
    }

    #[test]
    fn a_caller_may_choose() {
        assert_eq!(chosen("req-1").unwrap(), "req-1");
        assert_eq!(chosen("1").unwrap(), "req-1");
        assert!(chosen(&"1".repeat(LONGEST)).is_ok());
        assert!(chosen(&"1".repeat(LONGEST + 1)).is_err());
        assert_ne!(of(&HeaderMap::new()).unwrap(), of(&HeaderMap::new()).unwrap());
        assert!(chosen("").unwrap().len() > 20);
    }
}
