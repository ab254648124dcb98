//! A store to be tried, and what the suite has to know of it.

use std::any::Any;
use std::net::SocketAddr;

use futures::future::BoxFuture;
use store::Principal;

/// Places bytes where a store that is only read finds them; gives their location.
pub(crate) type Seed = Box<dyn Fn(Vec<u8>) -> String + Send + Sync>;

/// Names everything that the store's server holds in the store's place, by another way than the
/// store's own.
pub(crate) type Held = Box<dyn Fn() -> BoxFuture<'static, Vec<String>> + Send + Sync>;

/// A store to be tried. Options are lines of its section; `{server}` in them is the address of its
/// server (`{host}` and `{port}` are its halves), between which and the store the suite may put a
/// proxy.
pub(crate) struct Subject {
    pub(crate) kind: &'static str,
    pub(crate) options: String,
    /// Lines of other sections, with their headings.
    pub(crate) others: String,
    /// Whom it acts for, where it keeps bytes in the accounts of callers.
    pub(crate) caller: Option<Principal>,
    /// Where its server listens. Without one, cases that cut the connection don't apply.
    pub(crate) server: Option<SocketAddr>,
    /// Options with a secret that the server does not take.
    pub(crate) wrong_credentials: Option<String>,
    /// Options in which what operators name (folders, buckets, pools) has odd characters.
    pub(crate) odd_names: Option<String>,
    /// Whether clients may be sent to its server.
    pub(crate) direct: bool,
    /// What may appear in no text.
    pub(crate) secrets: Vec<String>,
    pub(crate) seed: Option<Seed>,
    pub(crate) held: Option<Held>,
    /// What lives as long as the subject: folders, servers.
    pub(crate) keep: Vec<Box<dyn Any + Send + Sync>>,
}

impl Subject {
    /// One that needs nothing but options.
    pub(crate) fn new(kind: &'static str, options: impl Into<String>) -> Self {
        Self {
            kind,
            options: options.into(),
            others: String::new(),
            caller: None,
            server: None,
            wrong_credentials: None,
            odd_names: None,
            direct: false,
            secrets: Vec::new(),
            seed: None,
            held: None,
            keep: Vec::new(),
        }
    }

    /// What its server holds; nothing where that can't be said.
    pub(crate) async fn held(&self) -> Vec<String> {
        match &self.held {
            Some(held) => held().await,
            None => Vec::new(),
        }
    }
}
