//! A server that a test plays: it answers as the test says, and remembers what it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use serde_json::Value;
use tempfile::NamedTempFile;

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// As `GET /path?query`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    whole: bool,
    is_lost: bool,
}

impl Reply {
    pub(crate) fn of(status: u16, body: &[u8]) -> Self {
        Self { status, headers: Vec::new(), body: body.to_vec(), whole: true, is_lost: false }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, body.to_string().as_bytes())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Of its body only half is sent.
    pub(crate) fn broken_off(self) -> Self {
        Self { whole: false, ..self }
    }

    /// The connection ends without it.
    pub(crate) fn lost() -> Self {
        Self { is_lost: true, ..Self::of(500, b"") }
    }
}

/// A server that runs until its process ends: one request on each connection.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    authority: Option<Authority>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Peer {
    /// `answer` is asked from several threads.
    pub(crate) fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, answer)
    }

    /// With TLS, and a certificate that its own authority signed.
    pub(crate) fn secure(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Some(Authority::new()), answer)
    }

    fn start(
        authority: Option<Authority>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let tls = authority.as_ref().map(Authority::acceptor);
        let (log, answer) = (asked.clone(), Arc::new(answer));
        let reply = Arc::new(move |request: &Request| {
            log.lock().unwrap().push(request.clone());
            answer(request)
        });
        thread::spawn(move || {
            for client in listener.incoming() {
                let (reply, tls, client) = (reply.clone(), tls.clone(), client.unwrap());
                thread::spawn(move || match tls {
                    // A client that goes is no matter, nor one that does not believe.
                    Some(tls) => tls.accept(client).map(|client| serve(client, &*reply)).is_ok(),
                    None => serve(client, &*reply).is_ok(),
                });
            }
        });
        Self { address, authority, asked }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Who signed its certificate.
    pub(crate) fn authority(&self) -> &Authority {
        self.authority.as_ref().unwrap()
    }

    /// The requests whose line begins so, as `GET /path`.
    pub(crate) fn asked(&self, beginning: &str) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| request.line().starts_with(beginning)).cloned().collect()
    }
}

fn serve<C: Read + Write>(client: C, reply: &impl Fn(&Request) -> Reply) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let request = receive(&mut client)?;
    send(client.get_mut(), &request.method, reply(&request))
}

fn receive(client: &mut impl BufRead) -> io::Result<Request> {
    let first = line(client)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
    let mut request = Request { method, path, headers: Vec::new(), body: Vec::new() };
    while let Some((name, value)) = line(client)?.split_once(':') {
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if request.header("transfer-encoding").is_some() {
        loop {
            let length = usize::from_str_radix(&line(client)?, 16).unwrap();
            let mut chunk = vec![0; length];
            client.read_exact(&mut chunk)?;
            request.body.extend(chunk);
            line(client)?;
            if length == 0 {
                return Ok(request);
            }
        }
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    client.read_exact(&mut request.body)?;
    Ok(request)
}

fn line(client: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    client.read_line(&mut line)?;
    match line.is_empty() {
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok(line.trim_end().to_owned()),
    }
}

fn send(client: &mut impl Write, method: &str, reply: Reply) -> io::Result<()> {
    let Reply { status, headers, body, whole, is_lost } = reply;
    if is_lost {
        return Ok(());
    }
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    client.write_all(head.as_bytes())?;
    if method != "HEAD" {
        client.write_all(&body[..if whole { body.len() } else { body.len() / 2 }])?;
    }
    client.flush()
}

/// Who signs the certificate of a server at 127.0.0.1: itself.
pub(crate) struct Authority {
    certificate: X509,
    key: PKey<Private>,
    /// The certificate, as options name it.
    pub(crate) file: NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, "a peer").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        let at = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(None, None));
        builder.append_extension(at.unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&certificate.to_pem().unwrap()).unwrap();
        Self { certificate, key, file }
    }

    fn acceptor(&self) -> SslAcceptor {
        let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls()).unwrap();
        builder.set_certificate(&self.certificate).unwrap();
        builder.set_private_key(&self.key).unwrap();
        builder.build()
    }
}
