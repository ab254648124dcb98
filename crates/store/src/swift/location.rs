//! Locations: `swift+config://REFERENCE/CONTAINER/OBJECT`, which is what is written; the older
//! `swift+https://ACCOUNT:USER:KEY@AUTH/CONTAINER/OBJECT`, which has credentials in it; and
//! `swift+https://ACCOUNT_URL/CONTAINER/OBJECT` in the accounts of users.

use reqwest::Url;

use crate::remote::decode;

/// The spellings of the schemes; `swift` is HTTPS.
pub(super) const SCHEMES: &[&str] = &["swift+config", "swift", "swift+https", "swift+http"];

/// Where an object is.
pub(super) struct Location {
    pub(super) place: Place,
    pub(super) container: String,
    pub(super) object: String,
}

/// Whose object it is.
pub(super) enum Place {
    /// Of an account that the configuration knows by this name.
    Reference(String),
    /// Of the account of a log-in that the location itself has.
    Login {
        /// Where, with a scheme.
        auth: String,
        /// `ACCOUNT:USER`.
        user: String,
        /// A secret.
        key: String,
    },
    /// Of the account at this URL, whosever it is.
    Account(String),
}

impl Location {
    /// Reads a location; `None` where it is none of this kind.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        if !SCHEMES.contains(&scheme) || rest.contains("://") {
            return None;
        }
        let (rest, object) = rest.rsplit_once('/')?;
        let (rest, container) = rest.rsplit_once('/')?;
        let sound = |text: &str| !text.is_empty() && text != "." && text != "..";
        if !sound(container) || !sound(object) || rest.is_empty() {
            return None;
        }
        let place = match scheme {
            "swift+config" => Place::Reference(rest.to_owned()),
            "swift+http" => place("http", rest)?,
            _ => place("https", rest)?,
        };
        Some(Self { place, container: container.to_owned(), object: object.to_owned() })
    }
}

/// The location of an object in the account of a user.
pub(super) fn in_account(account: &Url, container: &str, object: &str) -> String {
    // An account's URL has the scheme http or https.
    format!("swift+{}/{container}/{object}", account.as_str().trim_end_matches('/'))
}

fn place(scheme: &str, rest: &str) -> Option<Place> {
    let Some((credentials, auth)) = rest.split_once('@') else {
        return Some(Place::Account(format!("{scheme}://{rest}")));
    };
    let credentials = decode(credentials)?;
    let (user, key) = credentials.rsplit_once(':')?;
    let auth = format!("{scheme}://{auth}");
    Some(Place::Login { auth, user: user.to_owned(), key: key.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_as_glance_writes_them() {
        let location = Location::parse("swift+config://ref1/glance/abc").unwrap();
        assert_eq!((&*location.container, &*location.object), ("glance", "abc"));
        assert!(matches!(location.place, Place::Reference(name) if name == "ref1"));
        let uri = "swift+http://service%3Aswift:p%40s%2Fs@keystone:5000/v3/glance_a/abc";
        let old = Location::parse(uri).unwrap();
        assert_eq!((&*old.container, &*old.object), ("glance_a", "abc"));
        let Place::Login { auth, user, key } = old.place else { panic!() };
        assert_eq!((&*auth, &*user, &*key), ("http://keystone:5000/v3", "service:swift", "p@s/s"));
        let old = Location::parse("swift://a:u:k@h/v3/c/o").unwrap();
        assert!(matches!(old.place, Place::Login { auth, .. } if auth == "https://h/v3"));
    }

    #[test]
    fn locations_in_accounts_of_users_are_those_of_glance() {
        let account = "http://swift:8080/v1/AUTH_p/".parse().unwrap();
        let uri = in_account(&account, "glance_abc", "abc");
        assert_eq!(uri, "swift+http://swift:8080/v1/AUTH_p/glance_abc/abc");
        let location = Location::parse(&uri).unwrap();
        assert_eq!((&*location.container, &*location.object), ("glance_abc", "abc"));
        let url = "http://swift:8080/v1/AUTH_p";
        assert!(matches!(location.place, Place::Account(account) if account == url));
        let account = "https://swift/v1/AUTH_p".parse().unwrap();
        assert!(in_account(&account, "c", "o").starts_with("swift+https://swift/v1/"));
    }

    #[test]
    fn what_is_no_location_is_none() {
        for uri in [
            "",
            "swift://",
            "swift://c/o",
            "swift+config://c/o",
            "swift+config:///c/o",
            "swift+config://r/../o",
            "swift+config://r//o",
            "swift+config://r/c/",
            "http://h/c/o",
            "swift://a:k@http://h/c/o",
        ] {
            assert!(Location::parse(uri).is_none(), "{uri}");
        }
    }
}
