//! Bytes at URLs: only read, so what is read was put there by the server itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::conformance::{Subject, suite};

/// What the server has, by path.
type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

async fn server() -> Option<Subject> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let files = Files::default();
    let serving = tokio::spawn(serve(listener, files.clone()));
    Some(Subject {
        // Nothing on this machine's own addresses is fetched unless its host is allowed.
        others: "[import_filtering_opts]\nallowed_hosts = [127.0.0.1]\n".to_owned(),
        server: Some(address),
        seed: Some(Box::new(move |bytes| place(&files, address, bytes))),
        keep: vec![Box::new(Aborted(serving))],
        ..Subject::new("http", "")
    })
}

struct Aborted(tokio::task::JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn place(files: &Files, address: SocketAddr, bytes: Vec<u8>) -> String {
    let mut files = files.lock().unwrap();
    let path = format!("/{}", 0xf0 + files.len());
    files.insert(path.clone(), bytes);
    format!("http://{address}{path}")
}

async fn serve(listener: TcpListener, files: Files) {
    while let Ok((client, _)) = listener.accept().await {
        let files = files.clone();
        tokio::spawn(async move {
            // A client that goes is no matter.
            let _ = answer(client, &files).await;
        });
    }
}

/// One request on each connection.
async fn answer(client: TcpStream, files: &Files) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let found = files.lock().unwrap().get(path).cloned();
    let Some(bytes) = found else {
        return client
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    };
    let range = lines.iter().find_map(|line| range(line, bytes.len()));
    let status = match &range {
        Some(range) => format!(
            "206 Partial Content\r\nContent-Range: bytes {}-{}/{}",
            range.start,
            range.end - 1,
            bytes.len()
        ),
        None => "200 OK".to_owned(),
    };
    let part = &bytes[range.unwrap_or(0..bytes.len())];
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", part.len());
    client.write_all(head.as_bytes()).await?;
    if method == "GET" {
        client.write_all(part).await?;
    }
    client.shutdown().await
}

fn range(line: &str, length: usize) -> Option<std::ops::Range<usize>> {
    let (name, value) = line.split_once(": ")?;
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let range = first.parse().ok()?..last.parse::<usize>().ok()? + 1;
    (name.eq_ignore_ascii_case("range") && range.end <= length).then_some(range)
}

suite!(server);
