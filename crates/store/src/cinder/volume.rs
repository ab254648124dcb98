//! Volumes: made, looked at until they are what they are to become, and removed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use image::ImageId;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::session::{Ask, Session};
use crate::remote::{Failed, attempted};
use crate::{Error, Result};

pub(super) const GIB: u64 = 1 << 30;

/// The pause before the second look at a volume; each further one is longer by half.
const LOOK: Duration = Duration::from_millis(100);
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// How often a removal is asked for, at most.
const REMOVALS: u32 = 6;

/// What Cinder says of a volume.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Volume {
    pub(super) id: Uuid,
    name: Option<String>,
    pub(super) status: String,
    /// In GiB.
    size: u64,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// The name of its type.
    volume_type: Option<String>,
}

#[derive(Deserialize)]
struct One {
    volume: Volume,
}

#[derive(Deserialize)]
struct Several {
    volumes: Vec<Volume>,
}

impl Volume {
    /// How many bytes it has room for.
    pub(super) fn room(&self) -> u64 {
        self.size * GIB
    }

    /// How many bytes its image has.
    pub(super) fn image_size(&self) -> u64 {
        let told = self.metadata.get("image_size").and_then(|size| size.parse().ok());
        told.unwrap_or_else(|| self.room())
    }

    /// Whether a clone of it has this type, which may be any.
    pub(super) fn may_be_of(&self, volume_type: Option<&str>) -> bool {
        volume_type.is_none_or(|wanted| self.volume_type.as_deref() == Some(wanted))
    }

    /// Whether it has the name of the volume of an image.
    pub(super) fn is_named_for(&self, id: ImageId) -> bool {
        self.name.as_deref() == Some(&*name(id))
    }

    fn is_of(&self, id: ImageId) -> bool {
        self.metadata.get("glance_image_id").is_some_and(|of| *of == id.to_string())
    }
}

/// The metadata of a volume that says which store it was made for, and by which upload. Names need not
/// be unique: stores of several types may be in one project, and each have a volume of an image.
const STORE: &str = "tintype-store";
const UPLOAD: &str = "tintype-upload";

/// The metadata that says on which host it was filled, and since when that runs (random(4), `boot_id`).
/// What another host calls a disk of the volume is some other one here.
const BOOT: &str = "tintype-boot";

/// What tells an upload's volume from those of other stores and uploads.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// The store's name.
    pub(super) store: String,
    /// One upload's; `None` is any of the store.
    pub(super) upload: Option<Uuid>,
    /// Of this host; nothing where the kernel does not say.
    pub(super) boot: Option<String>,
}

impl Mark {
    /// Any upload's into a store, on this host.
    pub(super) fn of_store(store: &str) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let boot = boot.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self { store: store.to_owned(), upload: None, boot }
    }

    /// Whether a volume was filled on this host, since it runs.
    pub(super) fn is_from_here(&self, volume: &Volume) -> bool {
        self.boot.is_some() && volume.metadata.get(BOOT) == self.boot.as_ref()
    }

    /// Another upload's into the same store.
    pub(super) fn of_upload(&self) -> Self {
        Self { upload: Some(Uuid::new_v4()), ..self.clone() }
    }

    fn is_on(&self, volume: &Volume) -> bool {
        let says = |key: &str, value: &str| volume.metadata.get(key).is_some_and(|v| v == value);
        let upload = self.upload.map(|upload| upload.to_string());
        says(STORE, &self.store) && upload.is_none_or(|upload| says(UPLOAD, &upload))
    }
}

/// The name of an image's volume.
pub(super) fn name(id: ImageId) -> String {
    format!("image-{id}")
}

/// What is wanted of a new volume.
pub(super) struct New<'a> {
    pub(super) id: ImageId,
    pub(super) mark: &'a Mark,
    /// The image's length, where it is known.
    pub(super) size: Option<u64>,
    pub(super) volume_type: Option<&'a str>,
    /// The volume that it is to be a clone of.
    pub(super) source: Option<&'a Volume>,
}

impl New<'_> {
    /// How many GiB it has: at least one, and those of what it is a clone of.
    fn gibibytes(&self) -> u64 {
        match self.source {
            Some(source) => source.size,
            None => self.size.unwrap_or(0).div_ceil(GIB).max(1),
        }
    }

    fn body(&self) -> Value {
        let mut metadata = metadata(self.id, self.size.unwrap_or(0));
        metadata[STORE] = json!(self.mark.store);
        metadata[UPLOAD] = json!(self.mark.upload);
        if let Some(boot) = &self.mark.boot {
            metadata[BOOT] = json!(boot);
        }
        let mut volume = json!({
            "name": name(self.id),
            "size": self.gibibytes(),
            "metadata": metadata,
        });
        if let Some(source) = self.source {
            volume["source_volid"] = json!(source.id);
        } else if let Some(kind) = self.volume_type {
            volume["volume_type"] = json!(kind);
        }
        json!({ "volume": volume })
    }
}

/// What others know an image's volume by.
fn metadata(id: ImageId, size: u64) -> Value {
    json!({ "glance_image_id": id.to_string(), "image_size": size.to_string() })
}

impl Session {
    /// Makes a volume. It is asked for once: an answer that got lost may be of one that was made.
    pub(super) async fn create(&self, new: &New<'_>) -> Result<Volume> {
        let (body, what) = (new.body(), name(new.id));
        let ask = Ask { body: Some(&body), ..Ask::new(Method::POST, "volumes", &what) };
        let answer = self.ask_once(&ask).await.map_err(|failed| match failed.error() {
            // Nothing is there yet that could be in use: what was asked for can't be.
            Error::InUse { why, .. } => self.failing(format!("{what} can't be made: {why}")),
            error => error,
        })?;
        let one: One = answer.json().await.map_err(|error| self.away(error))?;
        Ok(one.volume)
    }

    /// Cinder answers, and takes the credentials.
    pub(super) async fn answers(&self) -> Result<()> {
        let query = [("limit", "1")];
        let ask = Ask { query: &query, ..Ask::new(Method::GET, "volumes", "the list of volumes") };
        self.ask(&ask).await.map(drop)
    }

    pub(super) async fn volume(&self, id: Uuid) -> Result<Volume> {
        let (path, what) = (format!("volumes/{id}"), format!("the volume {id}"));
        let one: One = self.read(&Ask::new(Method::GET, &path, &what)).await?;
        Ok(one.volume)
    }

    /// The volumes of an image that have a mark.
    pub(super) async fn volumes_of(&self, id: ImageId, mark: &Mark) -> Result<Vec<Volume>> {
        let what = name(id);
        let query = [("name", what.as_str())];
        let ask = Ask { query: &query, ..Ask::new(Method::GET, "volumes/detail", &what) };
        let several: Several = self.read(&ask).await?;
        let is_meant = |volume: &Volume| volume.is_of(id) && mark.is_on(volume);
        Ok(several.volumes.into_iter().filter(is_meant).collect())
    }

    /// Waits while a volume is in one state, for another. Errors: it comes into a third one, or
    /// stays for longer than it may.
    pub(super) async fn became(&self, id: Uuid, from: &str, to: &str) -> Result<Volume> {
        let began = Instant::now();
        let mut pause = LOOK;
        loop {
            let volume = self.volume(id).await?;
            match volume.status.as_str() {
                status if status == to => return Ok(volume),
                status if status == from && began.elapsed() < self.patience => {}
                status => {
                    return Err(self.failing(format!("the volume {id} is {status}, not {to}")));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_LOOK);
        }
    }

    /// Makes a volume that nobody has attached larger, to as many GiB. Errors: `Full` where there is
    /// no room.
    pub(super) async fn extend(&self, id: Uuid, gibibytes: u64, free: &str) -> Result<Volume> {
        self.act(id, json!({ "os-extend": { "new_size": gibibytes } })).await?;
        match self.became(id, "extending", free).await {
            Err(Error::Unavailable { store, why }) => match self.volume(id).await {
                Ok(volume) if volume.status.starts_with("error") => Err(Error::Full(store)),
                _ => Err(Error::Unavailable { store, why }),
            },
            extended => extended,
        }
    }

    /// Says how long the image is, where that was not known at first.
    pub(super) async fn tell_size(&self, volume: Uuid, id: ImageId, size: u64) -> Result<()> {
        let (path, what) = (format!("volumes/{volume}/metadata"), format!("the volume {volume}"));
        let body = json!({ "metadata": metadata(id, size) });
        let ask = Ask { body: Some(&body), ..Ask::new(Method::POST, &path, &what) };
        self.ask(&ask).await.map(drop)
    }

    /// Nobody writes to it any more.
    pub(super) async fn make_readonly(&self, id: Uuid) -> Result<()> {
        self.act(id, json!({ "os-update_readonly_flag": { "readonly": true } })).await
    }

    async fn act(&self, id: Uuid, action: Value) -> Result<()> {
        let (path, what) = (format!("volumes/{id}/action"), format!("the volume {id}"));
        let ask = Ask { body: Some(&action), ..Ask::new(Method::POST, &path, &what) };
        self.ask(&ask).await.map(drop)
    }

    /// Removes a volume, and waits until it is gone; again where Cinder could not, for it was still
    /// open. Errors: `InUse` where somebody has it attached.
    pub(super) async fn remove(&self, id: Uuid) -> Result<()> {
        attempted(REMOVALS, || self.remove_once(id)).await
    }

    async fn remove_once(&self, id: Uuid) -> Result<(), Failed> {
        let (path, what) = (format!("volumes/{id}"), format!("the volume {id}"));
        self.ask(&Ask::new(Method::DELETE, &path, &what)).await?;
        match self.became(id, "deleting", "available").await {
            Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => {
                let why = "Cinder could not remove it".to_owned();
                Err(Failed::Passing(Error::InUse { uri: what, why }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(size: u64, metadata: &str) -> Volume {
        let text = format!(
            "{{\"id\": \"9b0d4a5e-2e8c-4c6a-9a54-5e4ac3f30d6f\", \"status\": \"available\", \
              \"size\": {size}, \"metadata\": {metadata}}}"
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_image_is_as_long_as_is_said_else_as_its_volume() {
        assert_eq!(volume(2, "{\"image_size\": \"17\"}").image_size(), 17);
        assert_eq!(volume(2, "{}").image_size(), 2 * GIB);
    }

    #[test]
    fn volumes_have_whole_gibibytes_and_one_at_least() {
        let id = ImageId::random();
        let mark = &Mark::of_store("fast").of_upload();
        let gibibytes = |size| New { id, mark, size, volume_type: None, source: None }.gibibytes();
        let sizes = [None, Some(0), Some(1), Some(GIB), Some(GIB + 1)].map(gibibytes);
        assert_eq!(sizes, [1, 1, 1, 1, 2]);
        let source = volume(5, "{}");
        let clone = New { id, mark, size: Some(1), volume_type: Some("t"), source: Some(&source) };
        let body = clone.body();
        assert_eq!(body["volume"]["size"], 5);
        assert_eq!(body["volume"]["volume_type"], Value::Null);
        assert_eq!(body["volume"]["metadata"]["glance_image_id"], id.to_string());
        assert_eq!(body["volume"]["metadata"]["tintype-store"], "fast");
        let upload = mark.upload.unwrap().to_string();
        assert_eq!(body["volume"]["metadata"]["tintype-upload"], upload);
    }

    #[test]
    fn marks_tell_stores_and_uploads_apart() {
        let fast = Mark::of_store("fast");
        let (upload, other) = (fast.of_upload(), fast.of_upload());
        let of_upload = upload.upload.unwrap();
        let made = volume(
            1,
            &format!("{{\"tintype-store\": \"fast\", \"tintype-upload\": \"{of_upload}\"}}"),
        );
        assert!(fast.is_on(&made) && upload.is_on(&made) && !other.is_on(&made));
        let slow = Mark { store: "slow".to_owned(), ..upload };
        assert!(!slow.is_on(&made) && !fast.is_on(&volume(1, "{}")));
        let boot = fast.boot.as_ref().unwrap();
        let here = volume(1, &format!("{{\"tintype-boot\": \"{boot}\"}}"));
        let elsewhere = volume(1, "{\"tintype-boot\": \"another\"}");
        let is_from_here = [&here, &elsewhere, &made].map(|volume| fast.is_from_here(volume));
        assert_eq!(is_from_here, [true, false, false]);
    }
}
