//! A vCenter or ESX server: its session, which is renewed, and calls of its API.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use client::Secret;
use reqwest::{Method, Response, header};
use tokio::runtime::Handle;

use super::soap::{self, ACTION, Call, Object};
use super::xml::Element;
use crate::remote::{Failed, Http, attempted, reason, unanswered};
use crate::{Error, Result};

/// An answer of the API is no longer than this, in bytes. Those that are asked for have kilobytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// A server, and who uses it.
pub(super) struct Server {
    /// The store's name, for errors.
    pub(super) store: String,
    pub(super) http: Http,
    /// `https://HOST`.
    pub(super) url: String,
    pub(super) user: String,
    pub(super) password: Secret,
    /// How often a request is made, at most.
    pub(super) attempts: u32,
    /// The longest pause between two looks at a task.
    pub(super) task_poll: Duration,
    session: RwLock<Option<Arc<Session>>>,
}

/// A log-in that the server knows.
pub(super) struct Session {
    /// A secret.
    pub(super) cookie: Secret,
    pub(super) content: Content,
    http: Http,
    url: String,
    /// The server does not know it any more.
    ended: AtomicBool,
}

/// The server's own objects (`ServiceContent`).
pub(super) struct Content {
    sessions: Object,
    pub(super) properties: Object,
    pub(super) inventory: Object,
    pub(super) files: Object,
}

impl Server {
    pub(super) fn new(
        store: &str,
        http: Http,
        url: String,
        (user, password): (String, Secret),
        (attempts, task_poll): (u32, Duration),
    ) -> Self {
        let (store, session) = (store.to_owned(), RwLock::default());
        Self { store, http, url, user, password, attempts, task_poll, session }
    }

    /// Calls a method, in a session that may be begun for it, and again where it may help. Errors:
    /// as faults tell them, of `what`; `Unavailable`.
    pub(super) async fn call(
        &self,
        what: &str,
        call: impl Fn(&Content) -> Call,
    ) -> Result<Element> {
        attempted(self.attempts, || self.call_once(what, &call)).await
    }

    async fn call_once(
        &self,
        what: &str,
        call: &impl Fn(&Content) -> Call,
    ) -> Result<Element, Failed> {
        let session = self.session().await?;
        let call = call(&session.content);
        let (_, answer) = self.post(&call, Some(&session.cookie)).await?;
        answer.map_err(|fault| match fault.kind.as_str() {
            "NotAuthenticated" => {
                self.forget(&session);
                Failed::Passing(fault.error(&self.store, what))
            }
            _ => Failed::Lasting(fault.error(&self.store, what)),
        })
    }

    /// A session that was good when it was last used.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Failed> {
        if let Some(known) = &*self.session.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(known.clone());
        }
        let new = Arc::new(self.log_in().await?);
        let mut known = self.session.write().unwrap_or_else(PoisonError::into_inner);
        // Where another was quicker, this one is not used, and ends.
        Ok(known.get_or_insert(new).clone())
    }

    /// The session was refused: the next request begins another.
    pub(super) fn forget(&self, refused: &Arc<Session>) {
        refused.ended.store(true, Ordering::SeqCst);
        let mut known = self.session.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| Arc::ptr_eq(known, refused)) {
            *known = None;
        }
    }

    async fn log_in(&self) -> Result<Session, Failed> {
        let root = Object::new("ServiceInstance", "ServiceInstance");
        let (first, content) = self.post(&Call::new("RetrieveServiceContent", &root), None).await?;
        let what = "the question for what the server has";
        let content = content.map_err(|fault| fault.error(&self.store, what))?;
        let content = self.content(&content)?;
        let call = Call::new("Login", &content.sessions)
            .text("userName", &self.user)
            .text("password", self.password.expose());
        let (cookie, granted) = self.post(&call, first.as_ref()).await?;
        granted.map_err(|fault| fault.error(&self.store, "the log-in"))?;
        let cookie = cookie.or(first);
        let cookie = cookie.ok_or_else(|| self.failing("a log-in is answered without a cookie"))?;
        let (http, url, ended) = (self.http.clone(), self.url.clone(), AtomicBool::new(false));
        Ok(Session { cookie, content, http, url, ended })
    }

    fn content(&self, answer: &Element) -> Result<Content> {
        let object = |name: &str| {
            let found = answer.child("returnval").and_then(|content| content.child(name));
            let found = found.and_then(Object::read);
            found.ok_or_else(|| self.failing(format!("the server has no {name}")))
        };
        Ok(Content {
            sessions: object("sessionManager")?,
            properties: object("propertyCollector")?,
            inventory: object("searchIndex")?,
            files: object("fileManager")?,
        })
    }

    /// Sends a call; gives the cookie that comes back, if one does, and the answer. Errors:
    /// `Unavailable`, passing.
    async fn post(
        &self,
        call: &Call,
        cookie: Option<&Secret>,
    ) -> Result<(Option<Secret>, Result<Element, soap::Fault>), Failed> {
        let answer = post(&self.http, &self.url, call, cookie).await;
        let answer = answer.map_err(|error| unanswered(error, |why| self.failing(why)))?;
        let (status, cookie) = (answer.status(), self.cookie(&answer));
        let text = self.text_of(answer).await?;
        let why =
            |why| format!("{} is answered with {status}, which is no SOAP: {why}", call.method);
        let answer = soap::answer(&text).map_err(|e| Failed::Passing(self.failing(why(e))))?;
        Ok((cookie, answer))
    }

    fn cookie(&self, answer: &Response) -> Option<Secret> {
        let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
        let cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookies = cookies.map(str::trim).collect::<Vec<_>>().join("; ");
        (!cookies.is_empty()).then(|| Secret::new(cookies))
    }

    async fn text_of(&self, mut answer: Response) -> Result<String, Failed> {
        let mut bytes = Vec::new();
        while let Some(piece) =
            answer.chunk().await.map_err(|error| unanswered(error, |why| self.failing(why)))?
        {
            bytes.extend_from_slice(&piece);
            if bytes.len() > LONGEST {
                return Err(self.failing("an answer has no end").into());
            }
        }
        String::from_utf8(bytes).map_err(|_| self.failing("an answer is no UTF-8").into())
    }

    pub(super) fn failing(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { store: self.store.clone(), why: why.into() }
    }

    pub(super) fn away(&self, error: reqwest::Error) -> Error {
        self.failing(reason(error))
    }
}

async fn post(
    http: &Http,
    url: &str,
    call: &Call,
    cookie: Option<&Secret>,
) -> reqwest::Result<Response> {
    let mut request = http
        .request(Method::POST, format!("{url}/sdk"))
        .header(header::CONTENT_TYPE, "text/xml; charset=utf-8")
        .header("soapaction", ACTION)
        .body(call.envelope());
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie.expose());
    }
    request.send().await
}

/// Whoever used it last logs out, so that the server has not to keep it until it times out.
impl Drop for Session {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the server ends the session by itself.
        let Ok(runtime) = Handle::try_current() else { return };
        if self.ended.load(Ordering::SeqCst) {
            return;
        }
        let call = Call::new("Logout", &self.content.sessions);
        let (http, url, cookie) = (self.http.clone(), self.url.clone(), self.cookie.clone());
        runtime.spawn(async move {
            if let Err(error) = post(&http, &url, &call, Some(&cookie)).await {
                tracing::debug!(error = reason(error), "a session was not ended");
            }
        });
    }
}
