//! A sheep for the tests: the wire. It takes what a sheep takes, in the version that clients speak,
//! and refuses what a sheep would not understand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::cluster::{Answer, Cluster, INVALID, Place};

/// A node, for as long as it lives.
pub(crate) struct Sheep {
    pub(crate) address: SocketAddr,
    pub(crate) cluster: Arc<Mutex<Cluster>>,
    grazing: JoinHandle<()>,
}

impl Sheep {
    pub(crate) async fn of(cluster: Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cluster = Arc::new(Mutex::new(cluster));
        let grazing = tokio::spawn(accept(listener, cluster.clone()));
        Self { address, cluster, grazing }
    }
}

impl Drop for Sheep {
    fn drop(&mut self) {
        self.grazing.abort();
    }
}

async fn accept(listener: TcpListener, cluster: Arc<Mutex<Cluster>>) {
    while let Ok((client, _)) = listener.accept().await {
        let cluster = cluster.clone();
        tokio::spawn(async move {
            // A client that goes is no matter.
            let _ = serve(client, &cluster).await;
        });
    }
}

async fn serve(mut client: TcpStream, cluster: &Mutex<Cluster>) -> std::io::Result<()> {
    loop {
        let mut header = [0; 48];
        client.read_exact(&mut header).await?;
        let length = u32_at(&header, 12) as usize;
        let sends = u16::from_le_bytes([header[2], header[3]]) & 1 != 0;
        let mut data = vec![0; if sends { length } else { 0 }];
        client.read_exact(&mut data).await?;
        let answer = answer(&header, data, length, &mut cluster.lock().unwrap());
        let mut response = [0; 48];
        response[1] = header[1];
        response[4] = 1;
        response[8..12].copy_from_slice(&header[8..12]);
        response[12..16].copy_from_slice(&(answer.data.len() as u32).to_le_bytes());
        response[16..20].copy_from_slice(&answer.result.to_le_bytes());
        response[24..28].copy_from_slice(&answer.vdi.to_le_bytes());
        client.write_all(&response).await?;
        client.write_all(&answer.data).await?;
    }
}

fn answer(header: &[u8; 48], data: Vec<u8>, length: usize, cluster: &mut Cluster) -> Answer {
    const WRONG_VERSION: u32 = 0x14;
    if header[0] != 2 {
        return Answer::failing(WRONG_VERSION);
    }
    let flags = u16::from_le_bytes([header[2], header[3]]);
    let sends = flags & 1 != 0;
    let [id, offset] = [8, 40].map(|at| u32_at(header, at));
    let object = u64::from(u32_at(header, 20)) << 32 | u64::from(u32_at(header, 16));
    let place = Place { object, offset: offset as usize };
    let redundancy = (header[32], header[33]);
    match (header[1], sends) {
        _ if id != 0 || flags & !0x09 != 0 => Answer::failing(INVALID),
        (0x01, true) => cluster.write(place, redundancy, &data, true),
        (0x02, false) => cluster.read(place, length),
        (0x03, true) => cluster.write(place, redundancy, &data, false),
        (0x11, true) if length == 256 => {
            let size = u64::from(u32_at(header, 20)) << 32 | u64::from(u32_at(header, 16));
            let redundancy = (header[28], header[29]);
            let [base, snapshot] = [24, 32].map(|at| u32_at(header, at));
            let name = text(&data);
            cluster.new_vdi(&name, size, base, redundancy, header[31], snapshot != 0)
        }
        (0x14, true) if length == 512 => cluster.info(&text(&data[..256]), &text(&data[256..])),
        (0x17, true) if length == 512 => cluster.delete(&text(&data[..256]), &text(&data[256..])),
        _ => Answer::failing(INVALID),
    }
}

/// What stands before the first zero, of which there must be one.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).expect("a field ends with a zero");
    assert!(field[end..].iter().all(|byte| *byte == 0), "something follows the zero");
    String::from_utf8(field[..end].to_vec()).unwrap()
}

fn u32_at(header: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(header[at..at + 4].try_into().unwrap())
}
