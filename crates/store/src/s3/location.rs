//! Locations: `s3://HOST/BUCKET/KEY`, `s3+https://…`. Rows of older Glances have `KEY:SECRET@` before
//! the host; what is written has not.

use std::fmt;

use super::sign::Credentials;

/// The spellings of the schemes; `s3` is plain HTTP.
pub(super) const SCHEMES: &[&str] = &["s3", "s3+http", "s3+https"];

/// Where an object is.
pub(super) struct Location {
    /// Host, port and path of the service, without a scheme.
    pub(super) service: String,
    pub(super) bucket: String,
    pub(super) key: String,
    /// Where the location itself has some.
    pub(super) credentials: Option<Credentials>,
}

impl Location {
    /// Reads a location; `None` where it is none of this kind.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        if !SCHEMES.contains(&scheme) || rest.contains("://") {
            return None;
        }
        let (rest, key) = rest.rsplit_once('/')?;
        let (service, bucket) = rest.rsplit_once('/')?;
        // A secret may have slashes, and so stand in several parts of the path.
        let (credentials, service) = match service.rsplit_once('@') {
            Some((credentials, service)) => (Some(read_credentials(credentials)?), service),
            None => (None, service),
        };
        let sound = |text: &str| !text.is_empty() && !text.bytes().all(|b| b == b'.');
        if !sound(bucket) || !sound(key) || service.is_empty() || service.contains("..") {
            return None;
        }
        Some(Self {
            service: service.to_owned(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            credentials,
        })
    }
}

fn read_credentials(text: &str) -> Option<Credentials> {
    let (key, secret) = text.split_once(':')?;
    Some(Credentials { key: key.to_owned(), secret: secret.to_owned() })
}

/// Without credentials.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.service, self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_as_glance_writes_and_wrote_them() {
        let location = Location::parse("s3+https://s3.example.com:8443/images/abc").unwrap();
        assert_eq!((&*location.bucket, &*location.key), ("images", "abc"));
        assert_eq!(location.service, "s3.example.com:8443");
        assert!(location.credentials.is_none());
        let old = Location::parse("s3://AK:se/cr@et/@h/base/b/k").unwrap();
        let credentials = old.credentials.as_ref().unwrap();
        assert_eq!((&*credentials.key, &*credentials.secret), ("AK", "se/cr@et/"));
        assert_eq!((&*old.service, &*old.bucket, &*old.key), ("h/base", "b", "k"));
        assert_eq!(old.to_string(), "h/base/b/k");
    }

    #[test]
    fn what_is_no_location_is_none() {
        for uri in [
            "",
            "s3://",
            "s3://h",
            "s3://h/b",
            "s3://h/b/",
            "s3://h//k",
            "s3:///b/k",
            "http://h/b/k",
            "s3://http://h/b/k",
            "s3://h/../k",
            "s3://a/../b/k",
        ] {
            assert!(Location::parse(uri).is_none(), "{uri}");
        }
    }
}
