//! Attachments: what lets this host use a volume, and says how.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::host::Host;
use super::session::{Ask, Session};
use crate::remote::Failed;
use crate::{Error, Result};

/// The pause before an attachment is asked for again, as glance_store has it; each further one is
/// twice as long, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a volume is attached for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

/// How a volume is reached. It may hold passwords.
#[derive(Deserialize)]
pub(super) struct ConnectionInfo {
    /// The kind: `rbd`, `nfs`, `iscsi` …
    #[serde(rename = "driver_volume_type")]
    pub(super) kind: String,
    /// All that Cinder says of it, by names that its kind has for it.
    #[serde(flatten)]
    pub(super) data: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct One {
    attachment: Said,
}

#[derive(Deserialize)]
struct Several {
    attachments: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    id: Uuid,
    #[serde(default)]
    connection_info: Value,
}

impl Session {
    /// Reserves a volume for this host, and again while others have it. Errors: `InUse`.
    pub(super) async fn reserve(&self, volume: Uuid, mode: Mode) -> Result<Uuid> {
        let mode = match mode {
            Mode::Read => "ro",
            Mode::Write => "rw",
        };
        let body = json!({ "attachment": { "volume_uuid": volume, "mode": mode } });
        let what = format!("the volume {volume}");
        let ask = Ask { body: Some(&body), ..Ask::new(Method::POST, "attachments", &what) };
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.ask_once(&ask).await.map_err(Failed::error) {
                Ok(answer) => {
                    let one: One = answer.json().await.map_err(|error| self.away(error))?;
                    return Ok(one.attachment.id);
                }
                Err(error @ Error::InUse { .. }) if attempt < self.attachment_attempts => {
                    tracing::debug!(%error, attempt, "an attachment is asked for again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Says who is to use it; learns how that is done.
    pub(super) async fn connect(&self, attachment: Uuid, host: &Host) -> Result<ConnectionInfo> {
        let (path, what) = (format!("attachments/{attachment}"), "the attachment".to_owned());
        let body = json!({ "attachment": { "connector": host.connector() } });
        let ask = Ask { body: Some(&body), ..Ask::new(Method::PUT, &path, &what) };
        let one: One = self.read(&ask).await?;
        let said = serde_json::from_value(one.attachment.connection_info);
        said.map_err(|_| self.failing("Cinder does not say how a volume is reached"))
    }

    /// How the volume of an attachment is reached, as Cinder knows it later; `None` where it was never
    /// said who is to use it. Errors: `NotFound`.
    pub(super) async fn connection(&self, attachment: Uuid) -> Result<Option<ConnectionInfo>> {
        let path = format!("attachments/{attachment}");
        let one: One = self.read(&Ask::new(Method::GET, &path, "the attachment")).await?;
        Ok(serde_json::from_value(one.attachment.connection_info).ok())
    }

    /// Says that it is in use now.
    pub(super) async fn complete(&self, attachment: Uuid) -> Result<()> {
        let path = format!("attachments/{attachment}/action");
        let body = json!({ "os-complete": {} });
        let ask = Ask { body: Some(&body), ..Ask::new(Method::POST, &path, "the attachment") };
        self.ask(&ask).await.map(drop)
    }

    /// All that a volume has, whoever asked for them.
    pub(super) async fn attachments(&self, volume: Uuid) -> Result<Vec<Uuid>> {
        let volume = volume.to_string();
        let query = [("volume_id", volume.as_str())];
        let what = "the list of attachments";
        let ask = Ask { query: &query, ..Ask::new(Method::GET, "attachments", what) };
        let several: Several = self.read(&ask).await?;
        Ok(several.attachments.into_iter().map(|attachment| attachment.id).collect())
    }

    /// Gives it up. One that is gone is given up.
    pub(super) async fn detach(&self, attachment: Uuid) -> Result<()> {
        let path = format!("attachments/{attachment}");
        match self.ask(&Ask::new(Method::DELETE, &path, "the attachment")).await {
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
