//! A bucket `images` that a test plays: it keeps objects and uploads, and does as the test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::testing::{Peer, Reply, Request};

/// What becomes of a request.
pub(super) enum Act {
    /// It is done and answered.
    Answer,
    /// It is done, and the answer is lost.
    Lose,
    /// Another has stored something meanwhile, and the answer is lost.
    Occupy,
    /// It is not done, but answered so.
    Instead(Reply),
}

#[derive(Default)]
pub(super) struct Kept {
    /// Bytes, by key.
    pub(super) objects: BTreeMap<String, Vec<u8>>,
    /// Parts, by id and number.
    pub(super) uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// What requests said of objects and uploads, by key or id.
    marks: BTreeMap<String, String>,
    /// How often requests were made.
    seen: BTreeMap<String, usize>,
}

pub(super) const OF_ANOTHER: &[u8] = b"another's";

/// `act` is told what is asked, as [`what`] names it, and how often it was before.
pub(super) fn bucket(
    act: impl Fn(&str, &Request, usize) -> Act + Send + Sync + 'static,
) -> (Peer, Arc<Mutex<Kept>>) {
    let kept = Arc::<Mutex<Kept>>::default();
    let state = kept.clone();
    let peer = Peer::new(move |request| {
        let (mut kept, what) = (state.lock().unwrap(), what(request));
        let times = kept.seen.entry(what.clone()).or_default();
        *times += 1;
        match act(&what, request, *times - 1) {
            Act::Answer => kept.answer(&what, request),
            Act::Lose => {
                kept.answer(&what, request);
                Reply::lost()
            }
            Act::Occupy => {
                kept.objects.insert(key(request).to_owned(), OF_ANOTHER.to_vec());
                Reply::lost()
            }
            Act::Instead(reply) => reply,
        }
    });
    (peer, kept)
}

/// As `PUT`, of an object; `HEAD bucket`, `POST uploads`, `PUT part 1`, `POST complete`.
fn what(request: &Request) -> String {
    let method = &request.method;
    match (key(request), value(request, "partNumber"), value(request, "uploadId")) {
        (_, Some(number), _) => format!("{method} part {number}"),
        (_, None, Some(_)) if method == "POST" => format!("{method} complete"),
        (_, None, Some(_)) => format!("{method} upload"),
        _ if value(request, "uploads").is_some() => format!("{method} uploads"),
        ("", ..) => format!("{method} bucket"),
        _ => method.clone(),
    }
}

fn key(request: &Request) -> &str {
    let path = request.path.split('?').next().unwrap();
    path.strip_prefix("/images").unwrap().trim_start_matches('/')
}

fn value<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let (_, query) = request.path.split_once('?')?;
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

impl Kept {
    fn answer(&mut self, what: &str, request: &Request) -> Reply {
        let (key, id) = (key(request).to_owned(), value(request, "uploadId").unwrap_or_default());
        let done = || Reply::of(200, b"<Done/>").with("ETag", "\"tag\"");
        let mark = request.header("x-amz-meta-tintype-upload").map(str::to_owned);
        let is_there = request.header("if-none-match").is_some() && self.objects.contains_key(&key);
        match what {
            "HEAD bucket" => done(),
            "HEAD" | "GET" => self.read(&key, request),
            "DELETE" => self.objects.remove(&key).map_or(Reply::of(404, b""), |_| done()),
            "PUT" | "POST complete" if is_there => error(412, "PreconditionFailed"),
            "PUT" => {
                self.marks.extend(mark.map(|mark| (key.clone(), mark)));
                self.objects.insert(key, request.body.clone());
                done()
            }
            "GET uploads" => {
                let ids = self.uploads.keys();
                let uploads: String = ids
                    .map(|id| format!("<Upload><Key>{id}</Key><UploadId>{id}</UploadId></Upload>"))
                    .collect();
                Reply::of(200, format!("<Uploads>{uploads}</Uploads>").as_bytes())
            }
            // Of each object there is one upload, which is named as it is.
            "POST uploads" => {
                self.marks.extend(mark.map(|mark| (key.clone(), mark)));
                self.uploads.insert(key.clone(), BTreeMap::new());
                Reply::of(200, format!("<Begun><UploadId>{key}</UploadId></Begun>").as_bytes())
            }
            "POST complete" => match self.uploads.remove(id) {
                Some(parts) => {
                    self.objects.insert(key, parts.into_values().flatten().collect());
                    done()
                }
                None => error(404, "NoSuchUpload"),
            },
            "DELETE upload" => match self.uploads.remove(id) {
                Some(_) => Reply::of(204, b""),
                None => error(404, "NoSuchUpload"),
            },
            _ => match self.uploads.get_mut(id) {
                Some(parts) => {
                    let number = value(request, "partNumber").unwrap().parse().unwrap();
                    parts.insert(number, request.body.clone());
                    done()
                }
                None => error(404, "NoSuchUpload"),
            },
        }
    }

    fn read(&self, key: &str, request: &Request) -> Reply {
        let Some(bytes) = self.objects.get(key) else { return error(404, "NoSuchKey") };
        let reply = match request.header("range") {
            Some(range) => {
                let (first, last) = range["bytes=".len()..].split_once('-').unwrap();
                let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
                Reply::of(206, &bytes[first..=last])
            }
            None => Reply::of(200, bytes),
        };
        let reply = reply.with("ETag", "\"tag\"");
        let mark = self.marks.get(key).filter(|_| bytes != OF_ANOTHER);
        mark.map_or(reply.clone(), |mark| reply.with("x-amz-meta-tintype-upload", mark))
    }
}

pub(super) fn error(status: u16, code: &str) -> Reply {
    Reply::of(status, format!("<Error><Code>{code}</Code></Error>").as_bytes())
}
