//! The sheep of the tests as a process of its own, which `tests/services/sheepdog` starts: what it has
//! is gone when it ends.
//!
//! `sheep ADDRESS HELD` writes to these files where it listens: for clients of Sheepdog, and for whoever
//! looks at what it holds. That says a line and hears the answer to its end: to an empty line all that is
//! there, VDIs and objects, else the bytes of the VDI of that name.

#![allow(clippy::unwrap_used)]

#[path = "../tests/all/sheepdog/cluster.rs"]
mod cluster;
#[path = "../tests/all/sheepdog/sheep.rs"]
mod sheep;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::{env, fs, io};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use cluster::Cluster;
use sheep::Sheep;

#[tokio::main]
async fn main() -> io::Result<()> {
    let files: Vec<String> = env::args().skip(1).collect();
    let [address, held] = &files[..] else {
        return Err(io::Error::other("expected two files: ADDRESS HELD"));
    };
    let sheep = Sheep::of(Cluster::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(held, listener.local_addr()?)?;
    say(address, sheep.address)?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(show(client, sheep.cluster.clone()));
    }
}

/// Who finds the file finds all of it.
fn say(file: &str, address: SocketAddr) -> io::Result<()> {
    let new = format!("{file}.new");
    fs::write(&new, address.to_string())?;
    fs::rename(new, file)
}

async fn show(client: TcpStream, cluster: Arc<Mutex<Cluster>>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut asked = String::new();
    client.read_line(&mut asked).await?;
    let answer = match asked.trim_end() {
        "" => cluster.lock().unwrap().held().join("\n").into_bytes(),
        name => cluster.lock().unwrap().bytes_of(name),
    };
    client.write_all(&answer).await?;
    client.shutdown().await
}

impl Cluster {
    /// All bytes of a VDI; none where there is none.
    fn bytes_of(&self, name: &str) -> Vec<u8> {
        let Ok(id) = self.find(name, "") else { return Vec::new() };
        let (vdi, length) = (&self.vdis[&id], self.length(id));
        let mut bytes = vec![0; vdi.size() as usize];
        for (index, owner) in &vdi.owners {
            let Some(object) = self.objects.get(&(*owner, *index)) else { continue };
            let Some(place) = bytes.get_mut(index * length..) else { continue };
            let length = object.len().min(place.len());
            place[..length].copy_from_slice(&object[..length]);
        }
        bytes
    }
}
