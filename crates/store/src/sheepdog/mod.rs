//! The store in Sheepdog: each image is a VDI that is named by its id, as the `sheepdog` driver of
//! glance_store laid it out. Nodes are spoken to in their own protocol.

mod inode;
mod location;
mod node;
mod options;
mod outcome;
mod protocol;
mod read;
mod upload;
mod vdi;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use image::ImageId;

use crate::remote::{Writers, resuming};
use crate::{Abilities, Data, Error, Original, Result, Source, Store, Written};

use location::{Location, SCHEMES};
use node::Node;
use protocol::Caching;
use read::{Object, STEP};
use upload::Upload;
use vdi::Vdi;

pub(crate) use options::KIND;

/// The VDIs of a cluster that hold image data.
pub struct SheepdogStore {
    node: Arc<Node>,
    /// By how much a VDI grows whose length is not known, in bytes.
    step: u64,
    writers: Writers,
}

impl SheepdogStore {
    /// The VDI of an image that is written now.
    fn target(&self, id: ImageId) -> Vdi {
        Vdi { node: self.node.clone(), name: id.to_string() }
    }

    /// The VDI that a location names, at the node that it names: any node has all VDIs of its cluster,
    /// and the one that is configured may be in another.
    fn find(&self, uri: &str) -> Result<Vdi> {
        let bad = || Error::BadLocation(uri.to_owned());
        let Location { address, image } = Location::parse(uri).ok_or_else(bad)?;
        let node = match address.filter(|address| *address != self.node.address) {
            Some(address) => Arc::new(Node::at(address, &self.node.store)),
            None => self.node.clone(),
        };
        Ok(Vdi { node, name: image })
    }

    /// The same, at the configured node where the one that the location names does not answer, and
    /// the configured one has the VDI: it may have been replaced.
    async fn reach(&self, uri: &str) -> Result<Vdi> {
        let named = self.find(uri)?;
        if Arc::ptr_eq(&named.node, &self.node) {
            return Ok(named);
        }
        let Err(error @ Error::Unavailable { .. }) = named.find().await else { return Ok(named) };
        let here = Vdi { node: self.node.clone(), name: named.name };
        here.find().await.map_or(Err(error), |_| Ok(here))
    }
}

#[async_trait]
impl Store for SheepdogStore {
    fn kind(&self) -> &'static str {
        "sheepdog"
    }

    fn abilities(&self) -> Abilities {
        Abilities { copies: true, boundaries: vec![STEP, self.step], ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        Location::parse(uri).is_some_and(|location| {
            location.address.is_none_or(|address| address == self.node.address)
        })
    }

    async fn probe(&self) -> Result<()> {
        // No image has this name; a cluster that does not work says so before it looks.
        let nobody = Vdi { node: self.node.clone(), name: "tintype-probe".to_owned() };
        match nobody.find().await {
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let vdi = self.target(id);
        let uri = vdi.uri();
        let upload = Upload::to(vdi.clone());
        // Only a VDI of its own is undone.
        let free = async { vdi.find().await.map(u64::from) };
        let (undo, send) = (upload.clone().undo(), upload.send(hint, self.step, source));
        self.writers.put(id, uri, async { Ok(()) }, free, undo, send).await
    }

    async fn copy(&self, id: ImageId, from: Original<'_>) -> Result<Option<Written>> {
        let from = self.find(from.uri)?;
        // Another node may be one of another cluster.
        if from.node.address != self.node.address {
            return Ok(None);
        }
        let vdi = self.target(id);
        let uri = vdi.uri();
        let upload = Upload::to(vdi.clone());
        let free = async { vdi.find().await.map(u64::from) };
        let (undo, derive) = (upload.clone().undo(), upload.derive(from));
        self.writers.put(id, uri, async { Ok(()) }, free, undo, derive).await.map(Some)
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let vdi = self.reach(uri).await?;
        let inode = vdi.inode(Caching::Bypassed).await?;
        resuming(Object::of(vdi, inode), range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        Ok(self.reach(uri).await?.header().await?.size)
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        self.reach(uri).await?.remove("").await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        match self.target(id).remove_unfinished(u64::MAX).await {
            Ok(()) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn settled(&self) {
        self.writers.settled().await;
    }
}

#[cfg(test)]
mod tests;
