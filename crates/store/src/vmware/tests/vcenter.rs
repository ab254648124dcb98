//! A server that answers as a vCenter with a datacenter `/dc` and a datastore `ds` in it does, but
//! where a test has another answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Secret;
use client::cloud::Trust;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::super::xml::Element;
use super::super::{Datastore, Server, VmwareStore, Weighted};
use crate::remote::{Writers, client};

pub(super) struct Request {
    method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The method of the API that is called, else that of HTTP.
    fn what(&self) -> String {
        if self.path != "/sdk" {
            return self.method.clone();
        }
        let envelope = Element::parse(self.text()).unwrap();
        envelope.child("Body").unwrap().children[0].name.clone()
    }
}

pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    whole: bool,
}

impl Reply {
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        Self { status, headers: Vec::new(), body: body.to_vec(), whole: true }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Of its body only half is sent.
    pub(super) fn broken_off(self) -> Self {
        Self { whole: false, ..self }
    }
}

/// What was asked, in its order.
#[derive(Clone)]
pub(super) struct Log(Arc<watch::Sender<Vec<String>>>);

impl Log {
    pub(super) fn count(&self, what: &str) -> usize {
        self.0.borrow().iter().filter(|asked| *asked == what).count()
    }

    /// Waits until it was asked.
    pub(super) async fn has(&self, what: &str) {
        let mut asked = self.0.subscribe();
        asked.wait_for(|asked| asked.iter().any(|asked| asked == what)).await.unwrap();
    }
}

/// A store at such a server. `answer` is given what is asked: a method of the API, or of HTTP.
pub(super) async fn vcenter(
    answer: impl Fn(&str, &Request) -> Option<Reply> + Send + Sync + 'static,
) -> (VmwareStore, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let log = Log(Arc::new(watch::Sender::new(Vec::new())));
    let logins = Mutex::new(0);
    let (asked, answer) = (log.clone(), Arc::new(answer));
    let reply = move |request: &Request| {
        let what = request.what();
        asked.0.send_modify(|asked| asked.push(what.clone()));
        answer(&what, request).unwrap_or_else(|| usual(&what, request, &logins))
    };
    tokio::spawn(serve(listener, Arc::new(reply)));
    let http = client(&Trust::default()).unwrap();
    let who = ("user".to_owned(), Secret::new("password"));
    let server = Server::new("tried", http, url, who, (3, Duration::from_millis(1)));
    let datastore = Datastore { datacenter: Some("/dc".to_owned()), name: "ds".to_owned() };
    let store = VmwareStore {
        server: Arc::new(server),
        host: "h".to_owned(),
        directory: "images".to_owned(),
        datastores: vec![Weighted { datastore, weight: 0 }],
        writers: Writers::default(),
    };
    (store, log)
}

fn usual(what: &str, request: &Request, logins: &Mutex<u32>) -> Reply {
    let object = |kind: &str| format!("<returnval type=\"{kind}\">{kind}-1</returnval>");
    match what {
        "HEAD" | "GET" => Reply::of(404, b""),
        "PUT" => Reply::of(201, b""),
        "RetrieveServiceContent" => soap(
            "<returnval><propertyCollector type=\"PropertyCollector\">p</propertyCollector>\
             <sessionManager type=\"SessionManager\">s</sessionManager>\
             <searchIndex type=\"SearchIndex\">i</searchIndex>\
             <fileManager type=\"FileManager\">f</fileManager></returnval>",
        ),
        "Login" => {
            let mut logins = logins.lock().unwrap();
            *logins += 1;
            let cookie = format!("vmware_soap_session=\"{logins}\"; Path=/; HttpOnly; Secure;");
            soap("<returnval><key>k</key></returnval>").with("Set-Cookie", &cookie)
        }
        "FindByInventoryPath" => soap(&object("Datacenter")),
        "DeleteDatastoreFile_Task" => soap(&object("Task")),
        "RetrieveProperties" if request.text().contains("<type>Task</type>") => {
            info("<state>success</state>")
        }
        "RetrieveProperties" => soap(
            "<returnval><obj type=\"Datastore\">d</obj>\
             <propSet><name>summary.accessible</name><val>true</val></propSet>\
             <propSet><name>summary.freeSpace</name><val>1000000</val></propSet>\
             <propSet><name>summary.name</name><val>ds</val></propSet></returnval>",
        ),
        _ => soap(""),
    }
}

/// The answer that a task's `info` is this.
pub(super) fn info(inner: &str) -> Reply {
    soap(&format!(
        "<returnval><obj type=\"Task\">t</obj><propSet><name>info</name>\
         <val xsi:type=\"TaskInfo\">{inner}</val></propSet></returnval>"
    ))
}

pub(super) fn fault(kind: &str) -> Reply {
    let fault = format!(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>it can't be</faultstring>\
         <detail><{kind}Fault xsi:type=\"{kind}\"/></detail></soapenv:Fault>"
    );
    Reply { status: 500, ..envelope(&fault) }
}

fn soap(inner: &str) -> Reply {
    envelope(&format!("<Response xmlns=\"urn:vim25\">{inner}</Response>"))
}

fn envelope(body: &str) -> Reply {
    let text = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    Reply::of(200, text.as_bytes())
}

async fn serve(
    listener: TcpListener,
    reply: Arc<impl Fn(&Request) -> Reply + Send + Sync + 'static>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let reply = reply.clone();
        tokio::spawn(async move {
            let mut client = BufReader::new(client);
            if let Ok(request) = receive(&mut client).await {
                // A client that goes is no matter.
                let _ = send(&mut client, &request.method, reply(&request)).await;
            }
        });
    }
}

/// One request on each connection.
async fn receive(client: &mut BufReader<TcpStream>) -> std::io::Result<Request> {
    let first = line(client).await?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
    let mut request = Request { method, path, headers: Vec::new(), body: Vec::new() };
    while let Some((name, value)) = line(client).await?.split_once(": ") {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    if request.header("transfer-encoding").is_some() {
        loop {
            let length = usize::from_str_radix(&line(client).await?, 16).unwrap();
            let mut chunk = vec![0; length];
            client.read_exact(&mut chunk).await?;
            request.body.extend(chunk);
            line(client).await?;
            if length == 0 {
                return Ok(request);
            }
        }
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    client.read_exact(&mut request.body).await?;
    Ok(request)
}

async fn line(client: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    client.read_line(&mut line).await?;
    match line.is_empty() {
        true => Err(std::io::ErrorKind::UnexpectedEof.into()),
        false => Ok(line.trim_end().to_owned()),
    }
}

async fn send(
    client: &mut BufReader<TcpStream>,
    method: &str,
    reply: Reply,
) -> std::io::Result<()> {
    let Reply { status, headers, body, whole } = reply;
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        client.write_all(&body[..if whole { body.len() } else { body.len() / 2 }]).await?;
    }
    client.shutdown().await
}
