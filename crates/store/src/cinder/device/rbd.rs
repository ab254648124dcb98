//! Volumes in Ceph, reached without the kernel: as os-brick's `rbd` connector reaches them.

use std::ffi::CString;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::super::attachment::{ConnectionInfo, Mode};
use super::super::session::Session;
use super::{Connection, Device, Way, Writer};
use crate::rbd::{self, Elsewhere, Reached, Volume};
use crate::remote::Part;
use crate::{Data, Result};

/// What says nothing: all that is needed comes from Cinder then.
const NO_FILE: &str = "/dev/null";

/// The clusters that volumes were found in, each with one connection.
pub(super) struct Clusters {
    /// The operator's configuration file (`rbd_store_ceph_conf`).
    conf: Option<PathBuf>,
    known: Mutex<Vec<(Reached, Elsewhere)>>,
}

impl Clusters {
    pub(super) fn new(conf: Option<PathBuf>) -> Self {
        Self { conf, known: Mutex::default() }
    }

    /// The image that is a volume. Errors: `Unavailable` where it is not said which that is.
    fn volume(&self, session: &Session, information: &ConnectionInfo) -> Result<Volume> {
        let place = place(information, self.conf.as_ref());
        let unclear = || session.failing("Cinder does not say where a volume is in Ceph");
        let (reached, pool, image) = place.ok_or_else(unclear)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cluster)) = known.iter().find(|(other, _)| *other == reached) {
            return Ok(cluster.volume(&pool, &image));
        }
        let cluster = Elsewhere::at(&session.store, reached.clone());
        known.push((reached, cluster.clone()));
        Ok(cluster.volume(&pool, &image))
    }
}

#[async_trait]
impl Way for Clusters {
    fn kind(&self) -> &'static str {
        "rbd"
    }

    async fn connect(
        &self,
        session: &Session,
        connection: &Connection,
        _mode: Mode,
    ) -> Result<Arc<dyn Device>> {
        Ok(Arc::new(self.volume(session, &connection.to)?))
    }

    /// Images are open as long as they are used; the host has nothing of them beside.
    async fn disconnect(&self, _session: &Session, _connection: &Connection) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Device for Volume {
    async fn read(&self, range: Range<u64>) -> Result<Data> {
        Self::read(self, range).await
    }

    /// Whoever opens it sees how large it is.
    async fn write(&self, _room: u64) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Self::write(self).await?))
    }
}

#[async_trait]
impl Writer for rbd::Writer {
    async fn write(&mut self, offset: u64, part: Part) -> Result<()> {
        Self::write(self, offset, part).await
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        Self::finish(*self).await
    }
}

/// How the cluster is reached, the pool and the image: by the operator's file, else by the monitors
/// that Cinder names and the account's key in Ceph's usual place.
fn place(
    information: &ConnectionInfo,
    conf: Option<&PathBuf>,
) -> Option<(Reached, String, String)> {
    let text = |name: &str| information.data.get(name).and_then(Value::as_str);
    let (pool, image) = text("name")?.split_once('/')?;
    let user = text("auth_username").map(str::to_owned);
    let settings = match conf {
        Some(_) => Vec::new(),
        None => {
            let cluster = text("cluster_name").unwrap_or("ceph");
            let account = user.as_deref().unwrap_or("admin");
            let keyring = format!("/etc/ceph/{cluster}.client.{account}.keyring");
            vec![
                (c"mon_host".to_owned(), CString::new(monitors(information)?).ok()?),
                (c"keyring".to_owned(), CString::new(keyring).ok()?),
            ]
        }
    };
    let conf = conf.cloned().unwrap_or_else(|| NO_FILE.into());
    Some((Reached { conf, user, settings }, pool.to_owned(), image.to_owned()))
}

/// The monitors' addresses, as `mon_host` has them.
fn monitors(information: &ConnectionInfo) -> Option<String> {
    let list = |name: &str| information.data.get(name).and_then(Value::as_array);
    let monitors = list("hosts")?.iter().zip(list("ports")?).map(|(host, port)| {
        let (host, port) = (host.as_str()?, port.as_str()?);
        let bare = host.contains(':') && !host.starts_with('[');
        Some(if bare { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
    });
    Some(monitors.collect::<Option<Vec<_>>>()?.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn information(text: &str) -> ConnectionInfo {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_volume_is_where_cinder_says() {
        let information = information(
            r#"{"driver_volume_type": "rbd", "name": "volumes/volume-1", "hosts": ["10.0.0.1", "fd00::1"],
                "ports": ["6789", "6790"], "cluster_name": "west", "auth_username": "cinder"}"#,
        );
        let (reached, pool, image) = place(&information, None).unwrap();
        assert_eq!((&*pool, &*image), ("volumes", "volume-1"));
        assert_eq!(reached.user.as_deref(), Some("cinder"));
        let said: Vec<_> =
            reached.settings.iter().map(|(_, value)| value.to_str().unwrap()).collect();
        let keyring = "/etc/ceph/west.client.cinder.keyring";
        assert_eq!(said, ["10.0.0.1:6789,[fd00::1]:6790", keyring]);
        let own = PathBuf::from("/etc/ceph/own.conf");
        let (reached, ..) = place(&information, Some(&own)).unwrap();
        assert_eq!((reached.conf, reached.settings), (own, Vec::new()));
    }

    #[test]
    fn what_names_no_volume_is_refused() {
        for text in [
            r#"{"driver_volume_type": "rbd"}"#,
            r#"{"driver_volume_type": "rbd", "name": "volume-1"}"#,
            r#"{"driver_volume_type": "rbd", "name": "p/v", "hosts": ["h"]}"#,
        ] {
            assert!(place(&information(text), None).is_none(), "{text}");
        }
    }
}
