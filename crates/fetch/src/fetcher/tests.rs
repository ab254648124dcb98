use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::routing::get;
use config::Config;
use futures::TryStreamExt;
use reqwest::header::{CONTENT_RANGE, LOCATION, RANGE};

use super::*;

const CONTENT: &str = "0123456789";

/// A server of files, one of which is told by ranges.
async fn server() -> SocketAddr {
    let ranged = get(async |headers: axum::http::HeaderMap| {
        let asked = headers.get(RANGE).and_then(|range| range.to_str().ok());
        let (status, range, body) = match asked {
            Some("bytes=2-4") => (StatusCode::PARTIAL_CONTENT, "bytes 2-4/10", "234"),
            _ => (StatusCode::IM_A_TEAPOT, "bytes */10", ""),
        };
        (status, [(CONTENT_RANGE, range)], body)
    });
    let to =
        |place: &'static str| get(move || async move { (StatusCode::FOUND, [(LOCATION, place)]) });
    let routes = Router::new()
        .route("/whole", get(|| async { CONTENT }))
        .route("/ranged", ranged)
        .route("/moved", to("/whole"))
        .route("/inside", to("http://127.0.0.2/whole"))
        .route("/loop", to("/loop"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    address
}

async fn fetcher() -> (Fetcher, String) {
    let address = server().await;
    let options = format!(
        "[import_filtering_opts]\nallowed_hosts = [127.0.0.1]\nallowed_ports = [{}]\n",
        address.port()
    );
    let mut config = Config::default();
    config.add_text(&options, Path::new("glance-api.conf")).unwrap();
    (Fetcher::new(Filter::from_config(&config).unwrap()), format!("http://{address}"))
}

async fn read(fetcher: &Fetcher, url: &str, part: Option<Range<u64>>) -> Result<String> {
    let admitted = fetcher.admit(url).await?;
    let pieces: Vec<Bytes> = fetcher.get(admitted, part).await?.data.try_collect().await?;
    Ok(String::from_utf8(pieces.concat()).unwrap())
}

#[tokio::test]
async fn parts_are_cut_where_the_server_knows_no_ranges() {
    let (fetcher, url) = fetcher().await;
    let whole = format!("{url}/whole");
    assert_eq!(read(&fetcher, &whole, None).await.unwrap(), CONTENT);
    assert_eq!(read(&fetcher, &whole, Some(2..5)).await.unwrap(), "234");
    assert_eq!(read(&fetcher, &whole, Some(3..3)).await.unwrap(), "");
    assert!(matches!(read(&fetcher, &whole, Some(2..11)).await, Err(Error::Short(_))));
    assert_eq!(read(&fetcher, &format!("{url}/ranged"), Some(2..5)).await.unwrap(), "234");
}

#[tokio::test]
async fn lengths_are_asked_without_bytes() {
    let (fetcher, url) = fetcher().await;
    let admitted = fetcher.admit(&format!("{url}/moved")).await.unwrap();
    assert_eq!(fetcher.length(admitted).await.unwrap(), Some(10));
}

#[tokio::test]
async fn redirects_are_followed_by_the_same_rules() {
    let (fetcher, url) = fetcher().await;
    let at = |path: &str| format!("{url}{path}");
    assert_eq!(read(&fetcher, &at("/moved"), None).await.unwrap(), CONTENT);
    assert!(matches!(read(&fetcher, &at("/inside"), None).await, Err(Error::Refused { .. })));
    assert!(matches!(read(&fetcher, &at("/loop"), None).await, Err(Error::Redirects(_))));
    assert!(matches!(read(&fetcher, &at("/nothing"), None).await, Err(Error::NotFound(_))));
    assert!(matches!(read(&fetcher, &at("/ranged"), None).await, Err(Error::Status { .. })));
}

/// Only the proxy is connected to: what is admitted lies on no network.
#[tokio::test]
async fn a_proxy_is_asked_where_there_is_one_for_the_scheme() {
    let proxy = format!("http://{}", server().await);
    let fetcher = Fetcher::new(Filter::default()).by([("http".to_owned(), proxy)].into());
    let fetcher = fetcher.unwrap();
    // Names that only the proxy knows, too.
    for url in ["http://192.0.2.7/whole", "http://images.invalid/whole"] {
        assert_eq!(read(&fetcher, url, None).await.unwrap(), CONTENT, "{url}");
    }
    for (url, why) in [
        ("http://localhost/whole", "may not be fetched"),
        ("http://127.0.0.1/whole", "may not be fetched"),
        ("https://images.invalid/whole", "is not found"),
    ] {
        let error = read(&fetcher, url, None).await.unwrap_err().to_string();
        assert!(error.contains(why), "{url}: {error}");
    }
}
