//! The store in VMware's datastores: each image is a file that is named by its id, as the `vmware`
//! driver of glance_store lays it out. A vCenter or an ESX server is asked for it: over HTTPS for the
//! bytes, and through its Web Services API (SOAP) for everything else.

mod file;
mod inventory;
mod location;
mod options;
mod read;
mod server;
mod soap;
mod upload;
mod xml;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use image::ImageId;

use crate::remote::{Writers, resuming};
use crate::{Data, Error, Result, Source, Store, Written};

use file::File;
use inventory::Weighted;
use location::{Datastore, Location, SCHEMES};
use read::Reading;
use server::Server;
use upload::Upload;

pub(crate) use options::KIND;

/// Datastores that hold image data.
pub struct VmwareStore {
    server: Arc<Server>,
    /// As locations name the server.
    host: String,
    /// Without slashes at its ends.
    directory: String,
    datastores: Vec<Weighted>,
    writers: Writers,
}

impl VmwareStore {
    /// Where an image is in a datastore, or would be.
    fn location(&self, datastore: &Datastore, id: ImageId) -> Location {
        let path = match self.directory.as_str() {
            "" => id.to_string(),
            directory => format!("{directory}/{id}"),
        };
        Location { host: self.host.clone(), datastore: datastore.clone(), path }
    }

    /// The files that an image may be in.
    fn files(&self, id: ImageId) -> Vec<File> {
        let datastores = self.datastores.iter().map(|weighted| &weighted.datastore);
        datastores.map(|datastore| self.file(self.location(datastore, id))).collect()
    }

    fn file(&self, location: Location) -> File {
        File::at(&self.server, location)
    }

    /// What a location of a record names. The server is always the configured one: a record can't
    /// take its session elsewhere.
    fn find(&self, uri: &str) -> Result<File> {
        let location = Location::parse(uri).ok_or_else(|| Error::BadLocation(uri.to_owned()))?;
        Ok(self.file(location))
    }

    /// How many bytes an image has, in whichever datastore it is. Others than the one that is
    /// written to may be away. Errors: `NotFound`, and those of the datastore that is written to.
    async fn size_of(&self, id: ImageId, written: &Datastore) -> Result<u64> {
        for file in self.files(id) {
            match file.size().await {
                Err(Error::NotFound(_)) => {}
                Err(error) if file.datastore != *written => {
                    tracing::warn!(%error, "a datastore is not looked at for an image");
                }
                found => return found,
            }
        }
        Err(Error::NotFound(id.to_string()))
    }
}

#[async_trait]
impl Store for VmwareStore {
    fn kind(&self) -> &'static str {
        "vmware"
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        Location::parse(uri).is_some_and(|location| {
            let Datastore { datacenter, name } = &location.datastore;
            let known = |Weighted { datastore, .. }: &Weighted| {
                datastore.name == *name
                    && (datacenter.is_none() || *datacenter == datastore.datacenter)
            };
            location.host == self.host && self.datastores.iter().any(known)
        })
    }

    async fn probe(&self) -> Result<()> {
        for weighted in &self.datastores {
            self.server.free(&weighted.datastore).await?;
        }
        Ok(())
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let datastore = self.server.choose(&self.datastores, hint).await?;
        let location = self.location(&datastore, id);
        let uri = location.to_string();
        let file = self.file(location);
        let upload = Upload::to(file.clone());
        let (room, size) = (file.need_directory(), self.size_of(id, &datastore));
        let (undo, send) = (upload.clone().undo(), upload.send(hint, source));
        self.writers.put(id, uri, room, size, undo, send).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let file = self.find(uri)?;
        if range.is_empty() {
            file.size().await?;
        }
        resuming(Reading::of(file), range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.find(uri)?.size().await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        self.find(uri)?.remove().await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        let mut found = false;
        for file in self.files(id) {
            match file.remove().await {
                Ok(()) => found = true,
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn settled(&self) {
        self.writers.settled().await;
    }
}

#[cfg(test)]
mod tests;
