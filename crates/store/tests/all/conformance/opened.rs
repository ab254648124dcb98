//! A subject's store, opened as a service opens it: from a configuration.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use config::Config;
use image::ImageId;
use store::{Abilities, Error, Result, Source, Store, Stores, Written};
use tempfile::TempDir;

use super::Subject;
use super::bytes::{all, assert_same, source};

/// The store's name in the configuration.
pub(crate) const NAME: &str = "tried";

/// A store, and everything around it.
pub(crate) struct Opened {
    pub(crate) subject: Subject,
    pub(crate) stores: Stores,
    pub(crate) store: Arc<dyn Store>,
    _dir: TempDir,
}

impl Opened {
    /// The store as the subject says.
    pub(crate) fn of(subject: Subject) -> Self {
        let (options, server) = (subject.options.clone(), subject.server);
        Self::with(subject, &options, server)
    }

    /// The store with other options, or its server elsewhere.
    pub(crate) fn with(subject: Subject, options: &str, server: Option<SocketAddr>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stores = open(&subject, options, server, dir.path());
        let store = stores.get(Some(NAME)).unwrap().1.clone();
        let store = match &subject.caller {
            Some(caller) => store.on_behalf(caller).unwrap(),
            None => store,
        };
        Self { subject, stores, store, _dir: dir }
    }

    pub(crate) fn abilities(&self) -> Abilities {
        self.store.abilities()
    }

    /// Whether it takes bytes.
    pub(crate) fn writable(&self) -> bool {
        self.abilities().writable
    }

    pub(crate) async fn put(&self, bytes: &[u8], hint: Option<u64>) -> Written {
        self.store.put(ImageId::random(), hint, source(bytes.to_vec())).await.unwrap()
    }

    /// Has these bytes in the store, one way or the other; gives their location.
    pub(crate) async fn having(&self, bytes: &[u8]) -> String {
        match &self.subject.seed {
            Some(seed) => seed(bytes.to_vec()),
            None => self.put(bytes, Some(bytes.len() as u64)).await.uri,
        }
    }

    /// All bytes at a location.
    pub(crate) async fn read(&self, uri: &str) -> Result<Vec<u8>> {
        let size = self.store.size(uri).await?;
        Ok(all(self.store.open(uri, 0..size).await?).await?.to_vec())
    }

    /// Puts, reads, deletes, and sees that nothing stays.
    pub(crate) async fn round(&self, bytes: &[u8], hint: Option<u64>) {
        let what = format!("{} bytes, hint {hint:?}", bytes.len());
        let before = self.subject.held().await;
        let written = self.put(bytes, hint).await;
        assert_eq!(written.size, bytes.len() as u64, "{what}");
        assert_same(&self.read(&written.uri).await.expect(&what), bytes, &what);
        self.store.delete(&written.uri).await.expect(&what);
        assert!(matches!(self.store.size(&written.uri).await, Err(Error::NotFound(_))), "{what}");
        assert_eq!(self.subject.held().await, before, "{what}: something stays");
    }

    /// A put that is expected to fail.
    pub(crate) async fn put_failing(&self, id: ImageId, source: Source) -> Error {
        self.store.put(id, None, source).await.expect_err("it should have failed")
    }

    /// Nothing of an image is there, nor anything else than was before.
    pub(crate) async fn assert_nothing_of(&self, id: ImageId, before: &[String]) {
        self.store.settled().await;
        assert_eq!(self.subject.held().await, before, "something stays of a put that was not done");
        assert!(!self.store.discard(id).await.unwrap(), "something stayed of {id}");
        // Its place is free.
        let written = self.store.put(id, Some(3), source(b"new".to_vec())).await.unwrap();
        assert_eq!(self.read(&written.uri).await.unwrap(), b"new");
        self.store.delete(&written.uri).await.unwrap();
    }
}

fn open(subject: &Subject, options: &str, server: Option<SocketAddr>, dir: &Path) -> Stores {
    let mut options = options.to_owned();
    if let Some(server) = server {
        options = options
            .replace("{server}", &server.to_string())
            .replace("{host}", &server.ip().to_string())
            .replace("{port}", &server.port().to_string());
    }
    let (kind, others, dir) = (subject.kind, &subject.others, dir.display());
    let text = format!(
        "[DEFAULT]\nenabled_backends = {NAME}:{kind}\n[glance_store]\ndefault_backend = {NAME}\n\
         [{NAME}]\n{options}\n\
         [os_glance_staging_store]\nfilesystem_store_datadir = {dir}/staging\n\
         [os_glance_tasks_store]\nfilesystem_store_datadir = {dir}/tasks\n{others}\n"
    );
    let mut config = Config::default();
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    let stores = Stores::from_config(&config, Path::new("/nowhere")).unwrap();
    assert!(config.unread().is_empty(), "options that nobody reads: {:?}", config.unread());
    stores
}
