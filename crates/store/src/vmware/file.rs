//! A file in a datastore: over HTTP at `/folder/…`, and by calls of the API.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, Url, header};

use super::location::{Datastore, Location};
use super::server::Server;
use super::soap::{Call, Fault, Object};
use super::xml::Element;
use crate::remote::{Failed, Outgoing, attempted, encode};
use crate::{Error, Result};

/// How many redirections are followed.
const REDIRECTS: u32 = 5;

/// The pause before the second look at a task; each further one is twice as long.
const LOOK: Duration = Duration::from_millis(50);

/// A file that is there, or may be.
#[derive(Clone)]
pub(super) struct File {
    pub(super) server: Arc<Server>,
    pub(super) datastore: Datastore,
    /// Without a slash at its beginning.
    pub(super) path: String,
}

impl File {
    pub(super) fn at(server: &Arc<Server>, location: Location) -> Self {
        let Location { datastore, path, .. } = location;
        Self { server: server.clone(), datastore, path }
    }

    /// Its name in the server's own texts.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.datastore, self.path)
    }

    fn url(&self) -> String {
        let path = encode(&self.path, b"/");
        format!("{}/folder/{path}?{}", self.server.url, self.datastore.query())
    }

    /// How many bytes it has.
    pub(super) async fn size(&self) -> Result<u64> {
        let answer = self.get(Method::HEAD, None).await?;
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        length.ok_or_else(|| self.server.failing("the server does not say how long a file is"))
    }

    /// Asks for it, and again where it may help. The answer is a success.
    pub(super) async fn get(&self, method: Method, range: Option<&str>) -> Result<Response> {
        attempted(self.server.attempts, || self.get_once(&method, range)).await
    }

    async fn get_once(&self, method: &Method, range: Option<&str>) -> Result<Response, Failed> {
        let mut url = self.url();
        for _ in 0..=REDIRECTS {
            let ask = |request: reqwest::RequestBuilder| match range {
                Some(range) => request.header(header::RANGE, range),
                None => request,
            };
            let answer = self.ask(method.clone(), &url, ask, None).await?;
            match answer.status().is_redirection() {
                true => url = self.redirected(&answer)?,
                false => return Ok(answer),
            }
        }
        Err(self.server.failing(format!("{} is redirected without end", self.shown())).into())
    }

    /// Where a vCenter sends to, which is one of its hosts: they take its sessions.
    fn redirected(&self, answer: &Response) -> Result<String> {
        let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let to = to.and_then(|to| answer.url().join(to).ok());
        let as_secure = |to: &Url| to.scheme() == answer.url().scheme();
        let to = to.filter(as_secure).ok_or_else(|| {
            self.server.failing(format!("{} is redirected to no place of HTTPS", self.shown()))
        })?;
        Ok(to.into())
    }

    /// Writes it, once. `length` is how many bytes the body has, where that is known. A redirection
    /// is not followed, as in Glance: the body is gone.
    pub(super) async fn put(&self, body: Outgoing, length: Option<u64>) -> Result<(), Failed> {
        let request = |request: reqwest::RequestBuilder| match length {
            Some(length) => request.header(header::CONTENT_LENGTH, length),
            None => request,
        };
        let answer = self.ask(Method::PUT, &self.url(), request, Some(body)).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => Ok(()),
            status => Err(self.not_stored(status).into()),
        }
    }

    fn not_stored(&self, status: StatusCode) -> Error {
        let advice = match status.is_redirection() {
            true => ": name the server that takes uploads in vmware_server_host",
            false => "",
        };
        let why = format!("the upload of {} is answered with {status}{advice}", self.shown());
        self.server.failing(why)
    }

    /// The server took an upload for done before it had all of it.
    pub(super) fn early(&self) -> Error {
        let why = format!("the upload of {} is answered before its end", self.shown());
        self.server.failing(why)
    }

    /// Asks in the session; the answer is a success or a redirection.
    async fn ask(
        &self,
        method: Method,
        url: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
        body: Option<Outgoing>,
    ) -> Result<Response, Failed> {
        let server = &self.server;
        let session = server.session().await?;
        let request = server.http.request(method, url);
        let request = with(request.header(header::COOKIE, session.cookie.expose()));
        let failing = |why| server.failing(why);
        let answer = match body {
            Some(body) => server.http.send(request, body, failing).await,
            None => server.http.ask(request, failing).await,
        }?;
        let status = answer.status();
        if status == StatusCode::UNAUTHORIZED {
            server.forget(&session);
        }
        match status.is_success() || status.is_redirection() {
            true => Ok(answer),
            false => Err(self.failure(status)),
        }
    }

    fn failure(&self, status: StatusCode) -> Failed {
        let store = self.server.store.clone();
        let why = format!("{} is answered with {status}", self.shown());
        match status {
            StatusCode::UNAUTHORIZED => Failed::Passing(Error::Forbidden { store, why }),
            StatusCode::FORBIDDEN => Failed::Lasting(Error::Forbidden { store, why }),
            StatusCode::NOT_FOUND => Failed::Lasting(Error::NotFound(self.shown())),
            StatusCode::CONFLICT => Failed::Lasting(Error::Exists(self.shown())),
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::INSUFFICIENT_STORAGE => {
                Failed::Lasting(Error::Full(store))
            }
            status if status.is_server_error() => {
                Failed::Passing(Error::Unavailable { store, why })
            }
            _ => Failed::Lasting(Error::Unavailable { store, why }),
        }
    }

    /// The directory that it is in is there, or is made.
    pub(super) async fn need_directory(&self) -> Result<()> {
        let Some((directory, _)) = self.path.rsplit_once('/') else { return Ok(()) };
        let name = format!("{} {directory}", self.datastore);
        let datacenter = self.datacenter().await?;
        let call = |files: &Object| {
            let call =
                named(Call::new("MakeDirectory", files).text("name", &name), datacenter.as_ref());
            call.text("createParentDirectories", "true")
        };
        match self.server.call(&name, |content| call(&content.files)).await {
            Ok(_) | Err(Error::Exists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes it, and waits until it is gone.
    pub(super) async fn remove(&self) -> Result<()> {
        let name = self.shown();
        let datacenter = self.datacenter().await?;
        let call = |files: &Object| {
            named(
                Call::new("DeleteDatastoreFile_Task", files).text("name", &name),
                datacenter.as_ref(),
            )
        };
        let answer = self.server.call(&name, |content| call(&content.files)).await?;
        let task = answer.child("returnval").and_then(Object::read);
        let task =
            task.ok_or_else(|| self.server.failing("a deletion is answered without a task"))?;
        self.server.finished(&task, &name).await
    }

    /// The object of its datacenter. A path that the server does not know has no files.
    async fn datacenter(&self) -> Result<Option<Object>> {
        let Some(path) = &self.datastore.datacenter else { return Ok(None) };
        let found = self.server.datacenter(path).await?;
        found.map(Some).ok_or_else(|| Error::NotFound(self.shown()))
    }
}

fn named(call: Call, datacenter: Option<&Object>) -> Call {
    match datacenter {
        Some(datacenter) => call.object("datacenter", datacenter),
        None => call,
    }
}

impl Server {
    /// Waits for the end of a task. Errors: as its fault tells them, of `what`.
    async fn finished(&self, task: &Object, what: &str) -> Result<()> {
        let wanted = ("Task", ["info"].as_slice());
        let mut pause = LOOK;
        loop {
            let call = |properties: &Object| Call::properties(properties, task, None, wanted);
            let answer = self.call(what, |content| call(&content.properties)).await?;
            let info = info(&answer).ok_or_else(|| self.failing("a task has no state"))?;
            match info.child("state").map_or("", |state| state.text.as_str()) {
                "success" => return Ok(()),
                "error" => {
                    let fault = info.child("error").map(Fault::of_task);
                    let unknown = || self.failing(format!("{what}: the task failed"));
                    return Err(fault.map_or_else(unknown, |fault| fault.error(&self.store, what)));
                }
                _ => tokio::time::sleep(pause.min(self.task_poll)).await,
            }
            pause = pause.saturating_mul(2);
        }
    }
}

fn info(answer: &Element) -> Option<&Element> {
    answer.child("returnval")?.child("propSet")?.child("val")
}
