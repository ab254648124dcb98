//! Locations of images in Ceph, as glance_store's `rbd` driver writes them.

use std::fmt;

use crate::remote::{decode, encode};

pub(super) const SCHEMES: &[&str] = &["rbd"];

/// The place of an image: `rbd://CLUSTER/POOL/IMAGE/SNAPSHOT`, or `rbd://IMAGE` in old rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// The cluster's id and the pool; in old rows it is the configured one.
    pub(super) pool: Option<(String, String)>,
    /// The image's name.
    pub(super) image: String,
    /// The snapshot that is read; without one it is the image as it is now.
    pub(super) snapshot: Option<String>,
}

impl Location {
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let parts: Vec<&str> = uri.strip_prefix("rbd://")?.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        match parts[..] {
            // It was never encoded.
            [image] => Some(Self { pool: None, image: image.to_owned(), snapshot: None }),
            [cluster, pool, image, snapshot] => Some(Self {
                pool: Some((decode(cluster)?, decode(pool)?)),
                image: decode(image)?,
                snapshot: Some(decode(snapshot)?),
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.pool, &self.snapshot) {
            (Some((cluster, pool)), Some(snapshot)) => {
                let [cluster, pool, image, snapshot] =
                    [cluster, pool, &self.image, snapshot].map(|part| encode(part, b""));
                write!(f, "rbd://{cluster}/{pool}/{image}/{snapshot}")
            }
            _ => write!(f, "rbd://{}", self.image),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_of_glance_are_read_and_written() {
        let location = Location {
            pool: Some(("c1".into(), "oh, an #odd/pool".into())),
            image: "i".into(),
            snapshot: Some("snap".into()),
        };
        // As urllib.parse.quote(…, safe='') writes it.
        let uri = "rbd://c1/oh%2C%20an%20%23odd%2Fpool/i/snap";
        assert_eq!(location.to_string(), uri);
        assert_eq!(Location::parse(uri), Some(location));
        let old = Location { pool: None, image: "100%".into(), snapshot: None };
        assert_eq!(Location::parse("rbd://100%").unwrap(), old);
        assert_eq!(old.to_string(), "rbd://100%");
    }

    #[test]
    fn other_texts_are_none() {
        for uri in ["", "rbd:", "rbd://", "rbd:///", "rbd://a/b", "rbd://a/b/c", "rbd://a/b//d"] {
            assert_eq!(Location::parse(uri), None, "{uri}");
        }
        assert_eq!(Location::parse("rbd://a/b/c/d/e"), None);
        assert_eq!(Location::parse("RBD://a"), None);
        assert_eq!(Location::parse("rbd://a/%ff/c/d"), None);
    }
}
