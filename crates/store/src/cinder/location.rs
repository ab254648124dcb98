//! Locations: `cinder://STORE/VOLUME`, and `cinder://VOLUME` where stores have no names.

use uuid::Uuid;

/// The scheme of locations.
pub(super) const SCHEMES: &[&str] = &["cinder"];

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// The name of the store, where it has one.
    pub(super) store: Option<String>,
    pub(super) volume: Uuid,
}

impl Location {
    /// Reads a location; `None` where it is none of this kind.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("cinder://")?;
        let (store, volume) = match rest.rsplit_once('/') {
            Some((store, volume)) => (Some(store.to_owned()), volume),
            None => (None, rest),
        };
        let odd = store.as_ref().is_some_and(|store| store.is_empty() || store.contains('/'));
        let volume = volume.parse().ok().filter(|_| !odd)?;
        Some(Self { store, volume })
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.store {
            Some(store) => write!(f, "cinder://{store}/{}", self.volume),
            None => write!(f, "cinder://{}", self.volume),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUME: &str = "9b0d4a5e-2e8c-4c6a-9a54-5e4ac3f30d6f";

    #[test]
    fn both_spellings_are_read() {
        for (uri, store) in [
            (format!("cinder://{VOLUME}"), None),
            (format!("cinder://fast/{VOLUME}"), Some("fast".to_owned())),
        ] {
            let location = Location::parse(&uri).unwrap();
            assert_eq!(location.to_string(), uri);
            assert_eq!((location.store, location.volume.to_string().as_str()), (store, VOLUME));
        }
    }

    #[test]
    fn what_is_no_location_is_none() {
        for uri in [
            "",
            "cinder://",
            "cinder://x",
            "cinder://fast/",
            &format!("cinder:///{VOLUME}"),
            &format!("cinder://a/b/{VOLUME}"),
            &format!("rbd://{VOLUME}"),
            &format!("cinder://{VOLUME}/"),
        ] {
            assert!(Location::parse(uri).is_none(), "{uri}");
        }
    }
}
