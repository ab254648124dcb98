//! What a server has: datacenters and their datastores, and which of those takes an image.

use super::location::Datastore;
use super::server::Server;
use super::soap::{Call, Object};
use super::xml::Element;
use crate::{Error, Result};

/// A datastore that images are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weighted {
    pub(super) datastore: Datastore,
    /// Those with the highest are taken first.
    pub(super) weight: u64,
}

/// What the server says of a datastore.
#[derive(Debug)]
struct Room {
    name: String,
    /// In bytes.
    free: u64,
    accessible: bool,
}

impl Server {
    /// The datastore that an image of that many bytes is written to: of those with the highest
    /// weight the one with the most room, unless the image is too large for it. Those that can't be
    /// used are passed over. Errors: `Full`; where none can be used, why the first one can't;
    /// `Forbidden`, `Unavailable` where the server is away.
    pub(super) async fn choose(&self, among: &[Weighted], size: Option<u64>) -> Result<Datastore> {
        let (mut found, mut unusable) = (Vec::with_capacity(among.len()), None);
        for candidate in among {
            match self.room(&candidate.datastore).await? {
                Ok(free) => found.push((candidate.clone(), free)),
                Err(why) => {
                    tracing::warn!(store = self.store, why, "a datastore is passed over");
                    unusable.get_or_insert(why);
                }
            }
        }
        match (found.is_empty(), unusable) {
            (true, Some(why)) => Err(self.failing(why)),
            _ => {
                let chosen = pick(found, size.unwrap_or(0));
                chosen.ok_or_else(|| Error::Full(self.store.clone()))
            }
        }
    }

    /// The bytes that are free in a datastore. Errors: `Unavailable` where it can't be used.
    pub(super) async fn free(&self, datastore: &Datastore) -> Result<u64> {
        self.room(datastore).await?.map_err(|why| self.failing(why))
    }

    /// The bytes that are free in a datastore, or why it can't be used. Errors: the server's own.
    async fn room(&self, datastore: &Datastore) -> Result<Result<u64, String>> {
        let path = datastore.datacenter.as_deref().unwrap_or_default();
        let name = &datastore.name;
        let missing = || Err(format!("there is no datastore '{name}' in a datacenter '{path}'"));
        let Some(datacenter) = self.datacenter(path).await? else { return Ok(missing()) };
        let what = "the question for datastores";
        let paths = ["summary.name", "summary.freeSpace", "summary.accessible"];
        let wanted = ("Datastore", paths.as_slice());
        let call = |properties: &Object| {
            Call::properties(properties, &datacenter, Some("datastore"), wanted)
        };
        let answer = self.call(what, |content| call(&content.properties)).await?;
        let mut rooms = answer.all("returnval").filter_map(Room::read);
        Ok(match rooms.find(|room| room.name == *name) {
            None => missing(),
            Some(room) if room.accessible => Ok(room.free),
            Some(_) => Err(format!("the datastore '{name}' is not accessible")),
        })
    }

    /// The datacenter at a path of the inventory.
    pub(super) async fn datacenter(&self, path: &str) -> Result<Option<Object>> {
        let what = format!("the search for the datacenter '{path}'");
        let call = |inventory: &Object| {
            Call::new("FindByInventoryPath", inventory).text("inventoryPath", path)
        };
        let answer = self.call(&what, |content| call(&content.inventory)).await?;
        Ok(answer.child("returnval").and_then(Object::read))
    }
}

impl Room {
    fn read(object: &Element) -> Option<Self> {
        let value = |path: &str| {
            let property = object
                .all("propSet")
                .find(|property| property.child("name").is_some_and(|name| name.text == path))?;
            Some(property.child("val")?.text.as_str())
        };
        Some(Self {
            name: value("summary.name")?.to_owned(),
            free: value("summary.freeSpace")?.parse().ok()?,
            accessible: value("summary.accessible") == Some("true"),
        })
    }
}

/// As Glance does: of equal weights only the roomiest is looked at.
fn pick(mut among: Vec<(Weighted, u64)>, size: u64) -> Option<Datastore> {
    among.sort_by_key(|(candidate, free)| std::cmp::Reverse((candidate.weight, *free)));
    let fits = among.into_iter().find(|(_, free)| *free >= size && *free > 0);
    fits.map(|(candidate, _)| candidate.datastore)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(among: &[(&str, u64, u64)], size: u64) -> Option<String> {
        let among = among.iter().map(|(name, weight, free)| {
            let datastore = Datastore { datacenter: None, name: (*name).to_owned() };
            (Weighted { datastore, weight: *weight }, *free)
        });
        pick(among.collect(), size).map(|datastore| datastore.name)
    }

    #[test]
    fn weight_comes_before_room_and_room_before_order() {
        let among = [("a", 0, 900), ("b", 10, 50), ("c", 10, 70)];
        assert_eq!(picked(&among, 0).as_deref(), Some("c"));
        assert_eq!(picked(&among, 70).as_deref(), Some("c"));
        assert_eq!(picked(&among, 71).as_deref(), Some("a"));
        assert_eq!(picked(&among, 901), None);
        assert_eq!(picked(&[("a", 0, 0)], 0), None);
    }
}
