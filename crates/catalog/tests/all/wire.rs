//! What is the wire's own: who is let in, what becomes of lost connections, and long answers.

use std::sync::Arc;
use std::time::Duration;

use catalog::registry::{Address, Client, Keys, Registry, Way};
use catalog::sql::SqlCatalog;
use catalog::{Catalog, Error, ImageChange, Tasks, Viewer};
use image::{Image, ImageId, Status, Task, TaskType, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::fresh::behind_a_registry;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn image() -> Image {
    Image::new(ImageId::random(), Some("owner".into()), Timestamp::now())
}

async fn tls_registry(catalog: Arc<SqlCatalog>, keys: &Keys) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let way = Way::tls(listener, keys).unwrap();
    tokio::spawn(Registry::new(catalog).serve(way, std::future::pending()));
    port
}

async fn reached(port: u16, keys: &Keys) -> catalog::Result<()> {
    let client = Client::new(Address::Tls("127.0.0.1".into(), port), Some(keys)).unwrap();
    client.reached(Duration::from_secs(10)).await
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let keys = Keys::secret(SECRET).unwrap();
    let port = tls_registry(Arc::new(SqlCatalog::memory().await.unwrap()), &keys).await;
    reached(port, &keys).await.unwrap();
    let other = Keys::secret("f123456789abcdef0123456789abcdef").unwrap();
    let refused = reached(port, &other).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
}

#[test]
fn secrets_that_could_be_guessed_are_refused() {
    assert!(Keys::secret("glance").is_err());
    assert!(!format!("{:?}", Keys::secret(SECRET)).contains("0123"));
}

#[tokio::test]
async fn another_version_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut greeting = b"tintype\n".to_vec();
            greeting.extend(99_u32.to_le_bytes());
            greeting.extend([0; 16]);
            greeting.extend(b"\x059.0.0");
            stream.write_all(&greeting).await.unwrap();
            let _until_closed = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let client = Client::new(Address::Plain("127.0.0.1".into(), port), None).unwrap();
    let refused = client.reached(Duration::from_secs(10)).await.unwrap_err().to_string();
    assert!(refused.contains("9.0.0") && refused.contains("version 99"), "{refused}");
}

/// The answer of a change is lost with its connection: it is made once, and answered.
#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_once() {
    let catalog = Arc::new(SqlCatalog::memory().await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(Registry::new(catalog).serve(Way::Plain(listener), std::future::pending()));
    let (cut, front) = forgetful(port).await;
    let client = Client::new(Address::Plain("127.0.0.1".into(), front), None).unwrap();
    client.reached(Duration::from_secs(10)).await.unwrap();
    cut.send(()).unwrap();
    let image = image();
    client.create(&image).await.unwrap();
    assert!(matches!(client.create(&image).await, Err(Error::Duplicate(_))));
}

/// Stands before a registry. Told to, it lets the next call through, and ends all connections once
/// the registry has answered, instead of handing the answer on.
async fn forgetful(port: u16) -> (oneshot::Sender<()>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap().port();
    let (cut, mut told) = oneshot::channel();
    let (ending, _) = tokio::sync::watch::channel(false);
    let armed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let arm = armed.clone();
    tokio::spawn(async move {
        let _told = (&mut told).await;
        arm.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (armed, ending, mut ended) = (armed.clone(), ending.clone(), ending.subscribe());
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let there = tokio::io::copy(&mut from_client, &mut to_server);
                let back = async {
                    let mut piece = vec![0; 1 << 16];
                    loop {
                        let read = from_server.read(&mut piece).await.unwrap_or(0);
                        if read == 0 || armed.swap(false, std::sync::atomic::Ordering::SeqCst) {
                            ending.send_replace(true);
                            return;
                        }
                        let _gone = to_client.write_all(&piece[..read]).await;
                    }
                };
                tokio::select! {
                    _ = there => {}
                    () = back => {}
                    _ = ended.changed() => {}
                }
            });
        }
    });
    (cut, front)
}

#[tokio::test]
async fn a_registry_that_comes_back_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("registry.sock");
    let catalog = Arc::new(SqlCatalog::memory().await.unwrap());
    let start = || {
        let (stop, stopped) = oneshot::channel::<()>();
        let registry = Registry::new(catalog.clone());
        let way = Way::socket(socket.clone()).unwrap();
        let running = tokio::spawn(registry.serve(way, async { drop(stopped.await) }));
        (stop, running)
    };
    let (stop, running) = start();
    let client = Client::new(Address::Socket(socket.clone()), None).unwrap();
    client.reached(Duration::from_secs(10)).await.unwrap();
    drop(stop);
    running.await.unwrap();
    let down = client.ping().await;
    assert!(matches!(down, Err(Error::Unavailable(_))), "{down:?}");
    let (_stop, _running) = start();
    client.reached(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn long_answers_arrive_whole() {
    let client = behind_a_registry(Arc::new(SqlCatalog::memory().await.unwrap())).await;
    let mut image = image();
    client.create(&image).await.unwrap();
    let long = "x".repeat(300_000);
    let properties = [("long".to_owned(), Some(long.clone()))].into();
    client.update(image.id, &ImageChange { properties, ..Default::default() }).await.unwrap();
    image = client.get(&Viewer::service(), image.id).await.unwrap();
    assert_eq!(image.properties["long"], long);
}

/// Answers take memory until they are sent: more of them than there is memory for wait for it.
#[tokio::test]
async fn many_long_answers_at_once_arrive_whole() {
    let client = behind_a_registry(Arc::new(SqlCatalog::memory().await.unwrap())).await;
    let image = image();
    client.create(&image).await.unwrap();
    let long = "x".repeat(8 << 20);
    let properties = [("long".to_owned(), Some(long))].into();
    client.update(image.id, &ImageChange { properties, ..Default::default() }).await.unwrap();
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (client, id) = (client.clone(), image.id);
        asked.spawn(async move {
            client.ids_with_status(Status::Queued).await.unwrap();
            client.get(&Viewer::service(), id).await.unwrap().properties["long"].len()
        });
    }
    assert!(asked.join_all().await.iter().all(|length| *length == 8 << 20));
}

#[tokio::test]
async fn a_column_is_set_to_null_or_left_alone() {
    let client = behind_a_registry(Arc::new(SqlCatalog::memory().await.unwrap())).await;
    let image = Image { name: Some("x".into()), ..image() };
    client.create(&image).await.unwrap();
    let same = client.update(image.id, &ImageChange::default()).await.unwrap();
    assert_eq!(same.name.as_deref(), Some("x"));
    let change = ImageChange { name: Some(None), ..Default::default() };
    assert_eq!(client.update(image.id, &change).await.unwrap().name, None);
    assert_eq!(client.status_of(ImageId::random()).await.unwrap(), None);
    assert_eq!(client.status_of(image.id).await.unwrap(), Some(Status::Queued));
}

/// One side's recursion would end the process of the other.
#[tokio::test]
async fn values_deep_within_values_are_refused() {
    let client = behind_a_registry(Arc::new(SqlCatalog::memory().await.unwrap())).await;
    let nested = |depth| {
        (0..depth).fold(serde_json::Value::Null, |inner, _| serde_json::Value::Array(vec![inner]))
    };
    let task = |input| Task::new(TaskType::ApiImageImport, "owner".into(), input, Timestamp::now());
    client.create_task(&task(nested(120))).await.unwrap();
    let refused = client.create_task(&task(nested(1000))).await;
    assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
    client.ping().await.unwrap();
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_its_connection() {
    for length in [16 << 20 | 6, 256 << 20, u32::MAX] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let catalog = Arc::new(SqlCatalog::memory().await.unwrap());
        tokio::spawn(Registry::new(catalog).serve(Way::Plain(listener), std::future::pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut said = b"tintype\n".to_vec();
        said.extend(catalog::registry::VERSION.to_le_bytes());
        said.extend([0; 16]);
        said.extend(b"\x051.2.3");
        said.extend(u32::to_le_bytes(length));
        stream.write_all(&said).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"tintype\n") && answer.len() < 64, "{answer:?}");
        let client = Client::new(Address::Plain("127.0.0.1".into(), address.port()), None).unwrap();
        client.reached(Duration::from_secs(10)).await.unwrap();
    }
}
