//! A server that answers as a vCenter with a datacenter `/dc` and a datastore `ds` in it does, but
//! where a test has another answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Secret;
use client::cloud::Trust;
use tokio::sync::watch;

use super::super::xml::Element;
use super::super::{Datastore, Server, VmwareStore, Weighted};
use crate::remote::{Http, Writers};
use crate::testing::Peer;
pub(super) use crate::testing::{Reply, Request};

/// The method of the API that is called, else that of HTTP.
fn what(request: &Request) -> String {
    if request.path != "/sdk" {
        return request.method.clone();
    }
    let envelope = Element::parse(request.text()).unwrap();
    envelope.child("Body").unwrap().children[0].name.clone()
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
    let (reply, log) = replies(answer);
    let url = Peer::new(reply).url();
    let http = Http::trusting(&Trust::default()).unwrap();
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

/// Such a server with TLS, as options need it, which lead there.
pub(super) fn secure_vcenter(
    answer: impl Fn(&str, &Request) -> Option<Reply> + Send + Sync + 'static,
) -> (Peer, String, Log) {
    let (reply, log) = replies(answer);
    let peer = Peer::secure(reply);
    let options = format!(
        "vmware_server_host = {}\nvmware_server_username = user\n\
         vmware_server_password = password\nvmware_datastores = /dc:ds",
        peer.address
    );
    (peer, options, log)
}

fn replies(
    answer: impl Fn(&str, &Request) -> Option<Reply> + Send + Sync + 'static,
) -> (impl Fn(&Request) -> Reply + Send + Sync + 'static, Log) {
    let log = Log(Arc::new(watch::Sender::new(Vec::new())));
    let (asked, logins) = (log.clone(), Mutex::new(0));
    let reply = move |request: &Request| {
        let what = what(request);
        asked.0.send_modify(|asked| asked.push(what.clone()));
        answer(&what, request).unwrap_or_else(|| usual(&what, request, &logins))
    };
    (reply, log)
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
    envelope(500, &fault)
}

pub(super) fn soap(inner: &str) -> Reply {
    envelope(200, &format!("<Response xmlns=\"urn:vim25\">{inner}</Response>"))
}

fn envelope(status: u16, body: &str) -> Reply {
    let text = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    Reply::of(status, text.as_bytes())
}
