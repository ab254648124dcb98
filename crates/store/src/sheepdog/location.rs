//! Locations: `sheepdog://HOST:PORT:IMAGE`, and older ones, `sheepdog://IMAGE`.

use std::fmt;

use super::protocol::LONGEST_NAME;

pub(super) const SCHEMES: &[&str] = &["sheepdog"];

/// Where a node of the cluster listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Where an image is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// The configured node, where it says none.
    pub(super) address: Option<Address>,
    /// The name of its VDI.
    pub(super) image: String,
}

impl Location {
    /// Reads a location; `None` where it is none of this kind. Addresses may have colons of their
    /// own, those of IPv6.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("sheepdog://")?;
        let (address, image) = match rest.rsplit_once(':') {
            None => (None, rest),
            Some((address, image)) => {
                let (host, port) = address.rsplit_once(':')?;
                let port = port.parse().ok().filter(|port| *port > 0)?;
                let sound = !host.is_empty() && !host.contains(['/', '@', '?', '#']);
                (sound.then(|| Some(Address { host: host.to_owned(), port }))?, image)
            }
        };
        let named = !image.is_empty() && image.len() <= LONGEST_NAME;
        (named && !image.contains(char::is_control))
            .then(|| Self { address, image: image.to_owned() })
    }
}

/// The location of an image.
pub(super) fn uri(address: &Address, image: &str) -> String {
    format!("sheepdog://{address}:{image}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, port: u16) -> Option<Address> {
        Some(Address { host: host.to_owned(), port })
    }

    #[test]
    fn locations_are_read_as_glance_writes_them() {
        for (uri, expected, image) in [
            ("sheepdog://10.0.0.1:7000:abc", address("10.0.0.1", 7000), "abc"),
            ("sheepdog://sheep.example:1:a b", address("sheep.example", 1), "a b"),
            ("sheepdog://abc", None, "abc"),
            ("sheepdog://::1:7000:abc", address("::1", 7000), "abc"),
        ] {
            let location = Location::parse(uri).unwrap();
            assert_eq!((location.address, &*location.image), (expected, image), "{uri}");
        }
        let written = uri(&address("10.0.0.1", 7000).unwrap(), "abc");
        assert_eq!(written, "sheepdog://10.0.0.1:7000:abc");
    }

    #[test]
    fn what_is_no_location_is_none() {
        let long = format!("sheepdog://h:7000:{}", "a".repeat(256));
        for uri in [
            "",
            "sheepdog://",
            "sheepdog:abc",
            "sheepdog://h:7000:",
            "sheepdog://h:0:abc",
            "sheepdog://h:70000:abc",
            "sheepdog://h:x:abc",
            "sheepdog://:7000:abc",
            "sheepdog://7000:abc",
            "sheepdog://a/b:7000:abc",
            "sheepdog://h:7000:a\nb",
            "sheepdog://h:7000:a\0b",
            "http://h:7000:abc",
            &long,
        ] {
            assert_eq!(Location::parse(uri), None, "{uri}");
        }
    }
}
