//! What the tests of several kinds of stores share: servers that a test plays, and stores that are
//! opened by their options.

pub(crate) mod keystone;
pub(crate) mod peer;

use std::path::Path;
use std::sync::Arc;

use config::Config;
use futures::future::join_all;
use futures::{StreamExt, stream};

use crate::{Source, Store, Stores};

pub(crate) use peer::{Peer, Reply, Request};

/// The only store of a configuration, of this kind and with these options. Errors: what the service
/// would say.
pub(crate) fn store(kind: &str, options: &str) -> Result<Arc<dyn Store>, String> {
    let mut config = Config::default();
    let text = format!("[glance_store]\nstores = {kind}\ndefault_store = {kind}\n{options}\n");
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::from_config(&config, dir.path()).map_err(|error| error.to_string())?;
    Ok(stores.enabled()[0].store.clone())
}

/// What an upload brings.
pub(crate) fn source(bytes: &'static [u8]) -> Source {
    stream::iter([Ok(bytes::Bytes::from_static(bytes))]).boxed()
}

/// A server with TLS is believed by whom options let believe it. `options` lead a store of this kind
/// to `peer`, with further ones; `authorities` is the option that names a file, `anybody` are those
/// that believe without one.
pub(crate) async fn is_believed_as_options_say(
    peer: &Peer,
    kind: &str,
    options: &str,
    authorities: &str,
    anybody: &[&str],
) {
    let others = peer::Authority::new();
    let file = |authority: &peer::Authority| authority.file.path().display().to_string();
    let mut cases = vec![
        (String::new(), false),
        (format!("{authorities} = {}", file(peer.authority())), true),
        (format!("{authorities} = {}", file(&others)), false),
    ];
    for option in anybody {
        cases.push((format!("{option} = true"), true));
        cases.push((format!("{option} = false"), false));
    }
    // At the same time, for what fails is tried again after a while.
    join_all(cases.iter().map(async |(more, believed)| {
        let store = store(kind, &format!("{options}\n{more}")).unwrap();
        match store.probe().await {
            Ok(()) => assert!(believed, "{more}"),
            Err(error) => {
                let why = error.to_string();
                // On a busy machine a handshake may take too long.
                let told = ["certificate", "timed out"].iter().any(|word| why.contains(word));
                assert!(!believed && told, "{more}: {why}");
            }
        }
    }))
    .await;
    let missing = store(kind, &format!("{options}\n{authorities} = /nowhere/ca.pem"));
    let error = missing.err().unwrap();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
}
