//! The store of objects: any S3 (Amazon's, the RADOS Gateway, MinIO and others). Each image is an
//! object that is named by its id, as the `s3` driver of glance_store lays it out.

mod abort;
mod answer;
mod client;
mod endpoint;
mod location;
mod options;
mod read;
mod sign;
#[cfg(test)]
mod tests;
mod upload;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use image::{ImageId, without_credentials};
use reqwest::{Method, header};
use serde_json::{Map, Value, json};

use crate::remote::{Writers, resuming};
use crate::{Abilities, Data, Error, Result, Source, Store, Written};

use client::{Ask, Service, Target};
use location::{Location, SCHEMES};
use read::Object;
use upload::{Cutting, Upload};

pub(crate) use options::KIND;
use options::REGION;

/// A bucket that holds image data.
pub struct S3Store {
    service: Arc<Service>,
    bucket: String,
    create_bucket: bool,
    cutting: Cutting,
    writers: Writers,
}

impl S3Store {
    /// Where the object of an image is that is written now.
    fn target(&self, id: ImageId) -> Target {
        self.object(&self.bucket, &id.to_string())
    }

    fn object(&self, bucket: &str, key: &str) -> Target {
        Target { service: self.service.clone(), bucket: bucket.to_owned(), key: key.to_owned() }
    }

    fn uri(&self, target: &Target) -> String {
        target.shown()
    }

    /// What a location of a record names. The service is always the configured one, as in Glance:
    /// a record can't lead elsewhere, nor take the store's credentials there. Its own are used.
    fn find(&self, uri: &str) -> Result<Target> {
        let bad = || Error::BadLocation(without_credentials(uri));
        let location = Location::parse(uri).ok_or_else(bad)?;
        let mut target = self.object(&location.bucket, &location.key);
        if let Some(credentials) = location.credentials
            && credentials.key != self.service.credentials.key
        {
            target.service = Arc::new(Service { credentials, ..Service::clone(&self.service) });
        }
        Ok(target)
    }

    /// The bucket is there, or is made where the operator wants that.
    async fn need_bucket(&self, bucket: &Target) -> Result<()> {
        match bucket.ask_again(&Ask::new(Method::HEAD), None).await {
            Err(Error::NotFound(_)) if self.create_bucket => bucket.create().await,
            Err(Error::NotFound(_)) => Err(bucket.failing(format!(
                "there is no bucket '{}', and s3_store_create_bucket_on_put is off",
                bucket.bucket
            ))),
            found => found.map(drop),
        }
    }
}

#[async_trait]
impl Store for S3Store {
    fn kind(&self) -> &'static str {
        "s3"
    }

    fn abilities(&self) -> Abilities {
        Abilities { boundaries: vec![self.cutting.part], ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        Location::parse(uri).is_some_and(|location| {
            location.service == self.service.endpoint.service() && location.bucket == self.bucket
        })
    }

    fn properties(&self) -> Map<String, Value> {
        // What Glance tells of this kind, and in its words; sizes in bytes.
        Map::from_iter([
            ("s3_store_large_object_size".to_owned(), json!(self.cutting.large)),
            ("s3_store_large_object_chunk_size".to_owned(), json!(self.cutting.part)),
            ("s3_store_thread_pools".to_owned(), json!(self.cutting.at_once)),
        ])
    }

    async fn probe(&self) -> Result<()> {
        let bucket = self.object(&self.bucket, "");
        match bucket.ask_again(&Ask::new(Method::HEAD), None).await {
            // It is made with the first image.
            Err(Error::NotFound(_)) if self.create_bucket => Ok(()),
            found => found.map(drop),
        }
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let target = self.target(id);
        let uri = self.uri(&target);
        let upload = Upload::to(target.clone());
        let bucket = target.bucket_itself();
        let (room, size) = (self.need_bucket(&bucket), target.size());
        let (undo, send) = (upload.clone().undo(), upload.send(self.cutting, hint, source));
        self.writers.put(id, uri, room, size, undo, send).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let target = self.find(uri)?;
        if range.is_empty() {
            target.size().await?;
        }
        resuming(Object::at(target), range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.find(uri)?.size().await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        self.find(uri)?.remove().await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        let target = self.target(id);
        let aborted = match target.abort_all().await {
            // Without a bucket there is nothing in it.
            Err(Error::Unavailable { .. }) if self.no_bucket(&target).await => return Ok(false),
            aborted => aborted?,
        };
        match target.remove().await {
            Ok(()) => Ok(true),
            Err(Error::NotFound(_)) => Ok(aborted),
            Err(error) => Err(error),
        }
    }

    async fn settled(&self) {
        self.writers.settled().await;
    }
}

impl S3Store {
    async fn no_bucket(&self, target: &Target) -> bool {
        let bucket = target.bucket_itself();
        let found = bucket.ask_again(&Ask::new(Method::HEAD), None).await;
        matches!(found, Err(Error::NotFound(_)))
    }
}

impl Target {
    fn bucket_itself(&self) -> Self {
        Self { key: String::new(), ..self.clone() }
    }

    /// Makes the bucket, in the region that the option names, else the host.
    async fn create(&self) -> Result<()> {
        // Amazon refuses the name of its first region, and means it where none is named.
        let region = Some(&self.service.region).filter(|region| *region != REGION);
        let text = region.map(|region| {
            format!(
                "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint>\
                 </CreateBucketConfiguration>",
                answer::escape(region)
            )
        });
        match self.ask_again(&Ask::new(Method::PUT), text.as_deref()).await {
            // Another was quicker.
            Ok(_) | Err(Error::Exists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// How many bytes the object has.
    async fn size(&self) -> Result<u64> {
        let answer = self.ask_again(&Ask::new(Method::HEAD), None).await?;
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        length.ok_or_else(|| self.failing("the service does not say how long an object is"))
    }

    /// Removes the object. The service does not say whether there was one, so it is asked first.
    async fn remove(&self) -> Result<()> {
        self.size().await?;
        self.ask_again(&Ask::new(Method::DELETE), None).await.map(drop)
    }
}
