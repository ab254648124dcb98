//! `publish`: the file goes to an image service, unless it is there already.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use client::{Image, Images, ListQuery, NewImage, Progress, Session, Source};
use disk::ByteSize;
use guest::{Family, Os};
use machine::Cancel;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::convert::Converted;
use super::{HandedOn, Lasts, Made, Room, Step, StepName, Work};
use crate::recipe::{self, Recipe};
use crate::work::Output;
use crate::{Error, Result};

/// How often the position of an upload is told, and a cancellation is looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// Bytes of a GiB, the unit of `min_disk`.
const GIBIBYTE: u64 = 1 << 30;

/// The step.
pub(super) struct Publish {
    publish: recipe::Publish,
    image: recipe::Image,
}

/// An image that is in a cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// Its identifier there.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The cloud, in words.
    pub cloud: String,
    /// Whether it was there already.
    pub was_there: bool,
}

impl Published {
    /// What an output of the step says; none of another step's.
    pub fn read(output: &Output) -> Option<Self> {
        serde_json::from_value(output.found.clone()).ok()
    }
}

impl Publish {
    /// None when the recipe does not publish.
    pub(super) fn of(recipe: &Recipe) -> Option<Self> {
        let publish = recipe.publish.clone()?;
        Some(Publish { publish, image: recipe.image.clone() })
    }

    fn name(&self) -> &str {
        self.publish.name.as_ref().unwrap_or(&self.image.name)
    }

    /// What the service is told about the image: the recipe's word, else what was found inside.
    fn record(&self, os: &Os, converted: &Converted) -> NewImage {
        let mut record = NewImage::named(self.name())
            .disk_format(converted.format.name())
            .set(
                "min_disk",
                self.publish.min_disk.unwrap_or(converted.virtual_size.div_ceil(GIBIBYTE)),
            )
            .set("min_ram", self.publish.min_ram.unwrap_or(0));
        if let Some(visibility) = self.publish.visibility {
            record = record.set("visibility", visibility.name());
        }
        for (name, value) in self.properties(os) {
            record = record.set(&name, value);
        }
        self.publish.tags.iter().fold(record, |record, tag| record.tag(tag))
    }

    fn properties(&self, os: &Os) -> BTreeMap<String, String> {
        let mut properties = found_inside(os);
        let said = [
            ("os_distro", &self.image.os_distro),
            ("os_version", &self.image.os_version),
            ("os_type", &self.image.os_type),
            ("architecture", &self.image.architecture),
        ];
        for (name, value) in said {
            properties.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        properties.extend(self.publish.properties.clone());
        properties
    }

    async fn publish(
        &self,
        session: &Session,
        record: &NewImage,
        converted: &Converted,
        work: &mut Work<'_>,
    ) -> Result<(Image, bool)> {
        let images = session.images();
        if let Some(image) = already_there(&images, self.name(), converted).await? {
            return Ok((image, true));
        }
        let image = images.create(record).await?;
        match upload(&images, &image.id, converted, work).await {
            Ok(image) => Ok((image, false)),
            Err(why) => {
                // A record without bytes is of no use to anybody; why it has none is told.
                let _ = images.delete(&image.id).await;
                Err(why)
            }
        }
    }
}

impl Step for Publish {
    fn name(&self) -> StepName {
        StepName::Publish
    }

    fn what(&self) -> String {
        match &self.publish.cloud {
            Some(cloud) => format!("upload it as {} to the cloud {cloud}", self.name()),
            None => format!("upload it as {} to the cloud of the environment", self.name()),
        }
    }

    fn inputs(&self) -> Result<Value> {
        Ok(json!({ "publish": self.publish, "image": self.image }))
    }

    /// The image may have been deleted since: the service is asked every time.
    fn lasts(&self) -> Lasts {
        Lasts::NotAtAll
    }

    fn room(&self, _: ByteSize) -> Room {
        Room::default()
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let converted = Converted::of(work)?;
        let os = work.found_by(StepName::Check)["os"].clone();
        // Without a check nothing was seen, and the recipe's word is all there is.
        let os: Os = serde_json::from_value(os).unwrap_or_default();
        let record = self.record(&os, &converted);
        let session = Session::from_env(self.publish.cloud.as_deref())?;
        let published = client::blocking(self.publish(&session, &record, &converted, work));
        let (image, was_there) = published.map_err(Error::doing("the network"))??;
        let published = Published {
            id: image.id,
            name: self.name().to_owned(),
            cloud: session.cloud().origin.clone(),
            was_there,
        };
        let how = if was_there { "was there already" } else { "uploaded" };
        Ok(Made {
            result: format!("{how}: {} in {}", published.id, published.cloud),
            disk: HandedOn::Same,
            found: json!(published),
        })
    }
}

/// An active image with this name and these bytes.
async fn already_there(
    images: &Images,
    name: &str,
    converted: &Converted,
) -> Result<Option<Image>> {
    let query = ListQuery::default().filter("name", name).filter("status", "active");
    let mut listing = images.list(&query);
    while let Some(image) = listing.next().await? {
        let same_hash = image.os_hash_value.as_deref() == Some(&converted.sha512);
        if image.os_hash_algo.as_deref() == Some("sha512") && same_hash {
            return Ok(Some(image));
        }
    }
    Ok(None)
}

async fn upload(
    images: &Images,
    id: &str,
    converted: &Converted,
    work: &mut Work<'_>,
) -> Result<Image> {
    let position = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&position);
    let progress = Progress::new(move |at| seen.store(at, Ordering::Relaxed));
    let source = Source::file(&converted.path)?;
    let uploaded = images.upload(id, source, &progress);
    tokio::pin!(uploaded);
    loop {
        tokio::select! {
            image = &mut uploaded => return Ok(image?),
            () = tokio::time::sleep(GLANCE) => {
                Cancel::check(work.cancel())?;
                work.progress(position.load(Ordering::Relaxed), converted.size);
            }
        }
    }
}
/// What the guest tells about itself, in OpenStack's words ("Useful image properties").
fn found_inside(os: &Os) -> BTreeMap<String, String> {
    let agent = os.packages.iter().any(|package| package.name == "qemu-guest-agent");
    let found = [
        ("os_type", Some("linux").filter(|_| os.family != Family::Unknown)),
        ("os_distro", Some(os.id.as_str())),
        ("os_version", Some(os.version.as_str())),
        ("architecture", os.architecture.as_deref()),
        ("hw_qemu_guest_agent", Some("yes").filter(|_| agent)),
    ];
    let said = found.into_iter().filter_map(|(name, value)| Some((name, value?)));
    said.filter(|(_, value)| !value.is_empty()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

#[cfg(test)]
mod tests;
