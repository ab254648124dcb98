//! Locations: `vsphere://HOST/folder/DIRECTORY/ID?dsName=DATASTORE&dcPath=DATACENTER`, as Glance
//! writes them.

use std::fmt;

use crate::remote::{decode, encode};

/// The scheme of locations.
pub(super) const SCHEMES: &[&str] = &["vsphere"];

/// Where an image is: a file in a datastore of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// Host and, where it is no usual one, port.
    pub(super) host: String,
    pub(super) datastore: Datastore,
    /// The file's path in the datastore, without a slash at its beginning.
    pub(super) path: String,
}

/// A datastore, as operators name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datastore {
    /// The path of its datacenter in the inventory. Locations at an ESX host may have none.
    pub(super) datacenter: Option<String>,
    pub(super) name: String,
}

impl Location {
    /// Reads a location; `None` where it is none of this kind.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (host, rest) = uri.strip_prefix("vsphere://")?.split_once("/folder/")?;
        let (path, query) = rest.split_once('?')?;
        let path = decode(path)?;
        // Slashes are as many as the directory's option had.
        let path = path.trim_start_matches('/');
        let sound = |part: &str| !part.is_empty() && part != "." && part != "..";
        if host.is_empty() || host.contains(['/', '@', '?', '#']) || !path.split('/').all(sound) {
            return None;
        }
        Some(Self {
            host: host.to_owned(),
            datastore: Datastore {
                datacenter: value(query, "dcPath"),
                name: value(query, "dsName")?,
            },
            path: path.to_owned(),
        })
    }
}

/// The value of a name in a query, as forms encode it; `None` where it is empty.
fn value(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    decode(&value.replace('+', " ")).filter(|value| !value.is_empty())
}

impl Datastore {
    /// How queries name it, with its names in Glance's order.
    pub(super) fn query(&self) -> String {
        let plus = |text| encode(text, b" ").replace(' ', "+");
        match &self.datacenter {
            Some(path) => format!("dsName={}&dcPath={}", plus(&self.name), plus(path)),
            None => format!("dsName={}", plus(&self.name)),
        }
    }
}

/// As Glance writes it: the path is as it is, but for what would end it.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::with_capacity(self.path.len());
        for c in self.path.chars() {
            match c {
                '%' | '?' | '#' => path.push_str(&encode(c.encode_utf8(&mut [0; 4]), b"")),
                c if c.is_control() => path.push_str(&encode(c.encode_utf8(&mut [0; 4]), b"")),
                c => path.push(c),
            }
        }
        write!(f, "vsphere://{}/folder/{path}?{}", self.host, self.datastore.query())
    }
}

/// As the server's own texts name files.
impl fmt::Display for Datastore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What glance_store 5.7 writes for such options.
    const GLANCES: &str = "vsphere://vc.example.com/folder/My images/abc\
                           ?dsName=ds+one%2F2&dcPath=%2FDatacenters%2Fd%C3%A9c";

    #[test]
    fn locations_are_as_glance_has_them() {
        let location = Location::parse(GLANCES).unwrap();
        assert_eq!((&*location.host, &*location.path), ("vc.example.com", "My images/abc"));
        assert_eq!(location.datastore.name, "ds one/2");
        assert_eq!(location.datastore.datacenter.as_deref(), Some("/Datacenters/d\u{e9}c"));
        assert_eq!(location.to_string(), GLANCES);
    }

    #[test]
    fn older_spellings_are_read() {
        let older =
            "vsphere://[::1]:8443/folder//openstack_glance/abc?dcPath=ha-datacenter&dsName=d";
        let location = Location::parse(older).unwrap();
        assert_eq!((&*location.host, &*location.path), ("[::1]:8443", "openstack_glance/abc"));
        assert_eq!(location.datastore.datacenter.as_deref(), Some("ha-datacenter"));
        let location = Location::parse("vsphere://h/folder/a/b?dsName=d").unwrap();
        assert_eq!(location.datastore.datacenter, None);
    }

    #[test]
    fn what_is_odd_leads_back() {
        let datastore =
            Datastore { datacenter: Some("a&b=c+d".to_owned()), name: "100% ?".to_owned() };
        let path = "oh, an #odd? 100% n\u{e4}me\n/abc".to_owned();
        let location = Location { host: "h".to_owned(), datastore, path };
        assert_eq!(Location::parse(&location.to_string()), Some(location));
    }

    #[test]
    fn what_is_no_location_is_none() {
        for uri in [
            "",
            "vsphere://",
            "vsphere://h/a/b?dsName=d",
            "vsphere:///folder/a/b?dsName=d",
            "vsphere://h/folder/?dsName=d",
            "vsphere://h/folder/a/../b?dsName=d",
            "vsphere://h/folder/a/b",
            "vsphere://h/folder/a/b?dsName=",
            "vsphere://u@h/folder/a/b?dsName=d",
            "https://h/folder/a/b?dsName=d",
        ] {
            assert!(Location::parse(uri).is_none(), "{uri}");
        }
    }
}
