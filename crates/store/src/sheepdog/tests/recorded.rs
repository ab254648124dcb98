//! Conversations with a real sheep (`tests/recorded/sheepdog.txt`), held again: a server that
//! answers what it was recorded to, and takes no other request than was recorded.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::location::Address;
use super::super::node::Node;

const RECORDED: &str = include_str!("../../../tests/recorded/sheepdog.txt");

/// Bytes of the recorded image.
pub(super) fn pattern(at: usize, length: usize) -> Vec<u8> {
    (at..at + length).map(|i| ((7 * i + i / 4096) % 251) as u8).collect()
}

/// One request and its answer, each a header and data.
#[derive(Default)]
struct Exchange {
    asked: Vec<u8>,
    answered: Vec<u8>,
}

/// The exchanges of a conversation.
fn conversation(name: &str) -> Vec<Exchange> {
    let heading = format!("[{name}]");
    let lines = RECORDED.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (side, words) in lines.filter_map(|line| line.split_once(' ')).filter(|(s, _)| *s != "#") {
        let bytes = bytes(words);
        let answered = exchanges.last().is_none_or(|exchange| !exchange.answered.is_empty());
        if side == ">" && answered {
            exchanges.push(Exchange::default());
        }
        let exchange = exchanges.last_mut().unwrap();
        match side {
            ">" => exchange.asked.extend(bytes),
            "<" => exchange.answered.extend(bytes),
            other => panic!("a line begins with {other}"),
        }
    }
    assert!(!exchanges.is_empty(), "there is no conversation {name}");
    exchanges
}

fn bytes(words: &str) -> Vec<u8> {
    let number = |text: &str| text.parse::<usize>().unwrap();
    let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
    let words: Vec<&str> = rest.split(' ').collect();
    match kind {
        "name" => field(rest),
        "named" => [field(words[0]), field(words.get(1).unwrap_or(&""))].concat(),
        "pattern" => pattern(number(words[0]), number(words[1])),
        "bytes" => hexadecimal(rest),
        "header" => description(&words, 4664),
        "inode" => description(&words, 4664 + (12 << 20)),
        _ => {
            let header = hexadecimal(&[kind, rest].concat());
            assert_eq!(header.len(), 48, "{kind}");
            header
        }
    }
}

fn field(text: &str) -> Vec<u8> {
    let mut field = text.as_bytes().to_vec();
    field.resize(256, 0);
    field
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// What describes a VDI `img-1`.
fn description(fields: &[&str], length: usize) -> Vec<u8> {
    let mut bytes = field("img-1");
    bytes.resize(length, 0);
    [bytes[554], bytes[555], bytes[556]] = [1, 22, 1];
    let mut place = |at: usize, text: &str| {
        let number = u32::from_str_radix(text, 16).unwrap();
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    };
    for (name, value) in fields.iter().map(|field| field.split_once('=').unwrap()) {
        match name {
            "vdi" => place(560, value),
            "parent" => place(564, value),
            "size" => place(536, &format!("{:x}", value.parse::<u32>().unwrap())),
            "owners" => {
                value.split(',').enumerate().for_each(|(n, owner)| place(4664 + 4 * n, owner));
            }
            other => panic!("a description has no {other}"),
        }
    }
    bytes
}

/// A node that holds these conversations, one after the other.
pub(super) struct Recorded {
    pub(super) node: Arc<Node>,
    holding: JoinHandle<()>,
}

impl Recorded {
    pub(super) async fn of(conversations: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let exchanges = conversations.iter().flat_map(|name| conversation(name)).collect();
        let holding = tokio::spawn(hold(listener, exchanges));
        let address = Address { host: "127.0.0.1".to_owned(), port };
        Self { node: Arc::new(Node::at(address, "recorded")), holding }
    }

    /// Sees that all was asked, and nothing else.
    pub(super) async fn ended(self) {
        drop(self.node);
        self.holding.await.unwrap();
    }
}

async fn hold(listener: TcpListener, exchanges: Vec<Exchange>) {
    // All on one connection, as it was recorded.
    let (mut client, _) = listener.accept().await.unwrap();
    for (number, exchange) in exchanges.iter().enumerate() {
        let mut asked = vec![0; exchange.asked.len()];
        client.read_exact(&mut asked).await.unwrap();
        let same = |range: std::ops::Range<usize>| asked[range.clone()] == exchange.asked[range];
        assert!(same(0..48), "request {number}: {:02x?}", &asked[..48]);
        assert!(same(48..asked.len()), "request {number} has other data");
        client.write_all(&exchange.answered).await.unwrap();
    }
    let more = client.read(&mut [0; 48]).await.unwrap();
    assert_eq!(more, 0, "more is asked than was recorded");
}
