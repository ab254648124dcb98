//! Certificates on both sides: who is let in, and what the other side is told.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::registry::{Address, Allowed, Client, Keys, Registry, Way};
use catalog::sql::SqlCatalog;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};
use tempfile::TempDir;
use tokio::net::TcpListener;

const DAY: i64 = 24 * 60 * 60;

/// An authority that signs certificates, and a folder for them.
struct Authority {
    folder: TempDir,
    certificate: X509,
    key: PKey<Private>,
}

impl Authority {
    fn new() -> Self {
        Self::called("an authority")
    }

    fn called(name: &str) -> Self {
        let (mut builder, key) = unsigned(name, 2);
        let name = named(name);
        builder.set_issuer_name(&name).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let (folder, certificate) = (tempfile::tempdir().unwrap(), builder.build());
        std::fs::write(folder.path().join("ca"), certificate.to_pem().unwrap()).unwrap();
        Self { folder, certificate, key }
    }

    /// Keys with a certificate that this authority signed, for a side that trusts `trusted`.
    fn keys(&self, trusted: &Self, subject: &str, host: &str, days: i64) -> Keys {
        let (mut builder, key) = unsigned(subject, days);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let mut names = SubjectAlternativeName::new();
        match host.parse::<IpAddr>() {
            Ok(_) => names.ip(host),
            Err(_) => names.dns(host),
        };
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let names = names.build(&context).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let file = |kind: &str, pem: Vec<u8>| {
            let path = self.folder.path().join(format!("{subject}.{kind}"));
            std::fs::write(&path, pem).unwrap();
            path
        };
        Keys::Certificates {
            ca: trusted.folder.path().join("ca"),
            certificate: file("pem", builder.build().to_pem().unwrap()),
            key: file("key", key.private_key_to_pem_pkcs8().unwrap()),
            clients: Allowed::default(),
        }
    }

    fn of_the_registry(&self) -> Keys {
        self.keys(self, "registry", "127.0.0.1", 2)
    }

    fn of_an_edge(&self) -> Keys {
        self.keys(self, "edge-1", "edge-1.example", 2)
    }
}

fn named(subject: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, subject).unwrap();
    name.build()
}

fn unsigned(subject: &str, days: i64) -> (X509Builder, PKey<Private>) {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&named(subject)).unwrap();
    let now = image::Timestamp::now().as_microsecond() / 1_000_000;
    builder.set_not_before(&Asn1Time::from_unix(now - 3 * DAY).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(now + days * DAY).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    (builder, key)
}

fn letting_in(keys: Keys, common_names: &[&str], hostnames: &[&str]) -> Keys {
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let allowed = Allowed { common_names: list(common_names), hostnames: list(hostnames) };
    match keys {
        Keys::Certificates { ca, certificate, key, .. } => {
            Keys::Certificates { ca, certificate, key, clients: allowed }
        }
        secret => secret,
    }
}

async fn registry(keys: &Keys) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let way = Way::tls(listener, keys).unwrap();
    let catalog = Arc::new(SqlCatalog::memory().await.unwrap());
    tokio::spawn(Registry::new(catalog).serve(way, std::future::pending()));
    port
}

/// What becomes of a client with these keys; the words where it is not let in.
async fn reached(port: u16, keys: &Keys) -> Result<(), String> {
    let client = Client::new(Address::Tls("127.0.0.1".into(), port), Some(keys)).unwrap();
    client.reached(Duration::from_secs(30)).await.map_err(|error| error.to_string())
}

async fn refused(registry_keys: &Keys, keys: &Keys, words: &[&str]) {
    let said = reached(registry(registry_keys).await, keys).await.unwrap_err();
    assert!(words.iter().all(|words| said.contains(words)), "{said}");
}

const REFUSED: &str = "does not take our proof of who we are";

#[tokio::test]
async fn right_ones_are_let_in() {
    let authority = Authority::new();
    let port = registry(&authority.of_the_registry()).await;
    assert_eq!(reached(port, &authority.of_an_edge()).await, Ok(()));
}

#[tokio::test]
async fn of_named_ones_those_are_let_in() {
    let authority = Authority::new();
    let edge = authority.of_an_edge();
    for (common_names, hostnames, is_let_in) in [
        (&["edge-1"][..], &[][..], true),
        (&["edge-7", "edge-1"], &[], true),
        (&[], &["EDGE-1.example"], true),
        (&["edge-7"], &["edge-1.example"], true),
        (&["edge", "edge-1.example", ""], &[], false),
        (&[], &["example", "edge-1", "*.example"], false),
    ] {
        let keys = letting_in(authority.of_the_registry(), common_names, hostnames);
        let told = reached(registry(&keys).await, &edge).await;
        assert_eq!(told.is_ok(), is_let_in, "{common_names:?} {hostnames:?} {told:?}");
        assert!(told.is_ok() || told.is_err_and(|words| words.contains(REFUSED)));
    }
}

#[tokio::test]
async fn one_that_has_expired_is_not() {
    let authority = Authority::new();
    let edge = authority.keys(&authority, "edge-1", "edge-1.example", -1);
    refused(&authority.of_the_registry(), &edge, &[REFUSED, "expired"]).await;
}

/// Also one that has the name of the right one.
#[tokio::test]
async fn one_of_another_authority_is_not() {
    let authority = Authority::new();
    for (name, why) in [("a stranger", "unknown ca"), ("an authority", "decrypt error")] {
        let stranger = Authority::called(name);
        let edge = stranger.keys(&authority, "edge-1", "edge-1.example", 2);
        refused(&authority.of_the_registry(), &edge, &[REFUSED, why]).await;
        let registry = stranger.keys(&authority, "registry", "127.0.0.1", 2);
        let words = ["has not proven who it is", "CN=registry"];
        refused(&registry, &authority.of_an_edge(), &words).await;
    }
}

#[tokio::test]
async fn a_registry_of_another_name_is_not_trusted() {
    let authority = Authority::new();
    let keys = authority.keys(&authority, "registry", "registry.example", 2);
    let words = ["CN=registry, DNS:registry.example", "IP address mismatch"];
    refused(&keys, &authority.of_an_edge(), &words).await;
}

#[tokio::test]
async fn a_secret_is_no_certificate() {
    let authority = Authority::new();
    let secret = Keys::secret("0123456789abcdef0123456789abcdef").unwrap();
    refused(&authority.of_the_registry(), &secret, &["does not know the same secret"]).await;
    refused(&secret, &authority.of_an_edge(), &[REFUSED]).await;
}

#[tokio::test]
async fn who_has_none_is_not_let_in() {
    let authority = Authority::new();
    let port = registry(&authority.of_the_registry()).await;
    let told = tokio::task::spawn_blocking(move || without_certificate(port)).await.unwrap();
    assert!(told.contains("certificate required"), "{told}");
}

/// What a client without a certificate is told, which trusts everybody.
fn without_certificate(port: u16) -> String {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut stream = connector.build().connect("127.0.0.1", stream).unwrap();
    std::io::Read::read(&mut stream, &mut [0]).unwrap_err().to_string()
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let nowhere = Path::new("/nowhere.pem").to_owned();
    let keys = Keys::Certificates {
        ca: nowhere.clone(),
        certificate: nowhere.clone(),
        key: nowhere,
        clients: Allowed::default(),
    };
    let error = Client::new(Address::Tls("127.0.0.1".into(), 1), Some(&keys)).err().unwrap();
    assert!(error.to_string().contains("/nowhere.pem"), "{error}");
}
