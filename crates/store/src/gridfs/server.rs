//! The server, or the servers of a replica set, reached when they are first used.

use std::time::Duration;

use client::Secret;
use mongodb::Client;
use mongodb::error::Result as Done;
use mongodb::options::ClientOptions;
use tokio::sync::OnceCell;

use super::failure;
use crate::remote::Failed;
use crate::{Error, Result};

/// How long a server is looked for that takes the operation, where the connection string does not
/// say it.
const SEARCH: Duration = Duration::from_secs(10);

/// How long an operation may take.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a server may wait for others of its set, so that it answers before it is given up.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// Where the database is.
pub(super) struct Server {
    /// The store's name, for errors.
    pub(super) store: String,
    /// The connection string, which may have a password in it.
    uri: Secret,
    client: OnceCell<Client>,
}

impl Server {
    pub(super) fn at(store: &str, uri: Secret) -> Self {
        Self { store: store.to_owned(), uri, client: OnceCell::new() }
    }

    /// The client: it keeps connections, and looks after the servers. Errors: `Unavailable`, where
    /// the names of the servers can't be looked up, or their authorities can't be read.
    pub(super) async fn client(&self) -> Result<&Client> {
        self.client
            .get_or_try_init(async || {
                let mut options = ClientOptions::parse(self.uri.expose()).await?;
                options.server_selection_timeout.get_or_insert(SEARCH);
                Client::with_options(options)
            })
            .await
            .map_err(|why| failure::failed(&self.store, "the server", &why).error())
    }

    /// Waits for an operation on what is at `uri`.
    pub(super) async fn done<T>(
        &self,
        uri: &str,
        operation: impl IntoFuture<Output = Done<T>>,
    ) -> Result<T, Failed> {
        match tokio::time::timeout(SILENCE, operation.into_future()).await {
            Ok(done) => done.map_err(|why| failure::failed(&self.store, uri, &why)),
            Err(_) => {
                let why = format!("there was no answer within {} s", SILENCE.as_secs());
                Err(self.failing(why))?
            }
        }
    }

    /// The error for a server that does not do as it should.
    pub(super) fn failing(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { store: self.store.clone(), why: why.into() }
    }
}
