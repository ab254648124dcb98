//! What may be downloaded from: `[import_filtering_opts]`, and addresses that are never anybody's
//! to name.
//!
//! A name is looked up once, and the connection goes to one of the addresses that were checked: a
//! name that changes its address between two looks leads nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use config::Config;
use reqwest::Url;
use thiserror::Error;

/// Why a URL is not downloaded from.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("it is no URL: {0}")]
    Malformed(String),
    #[error("the scheme '{0}' is not allowed")]
    Scheme(String),
    #[error("the host '{0}' is not allowed")]
    Host(String),
    #[error("the port {0} is not allowed")]
    Port(u16),
    #[error("the host '{host}' is not found: {cause}")]
    Unknown {
        host: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("the host '{0}' has no address that may be downloaded from")]
    Address(String),
}

/// One kind of thing that is allowed or not. Where some are allowed, what is disallowed does not
/// count, as in Glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct List<T> {
    allowed: Vec<T>,
    disallowed: Vec<T>,
}

impl<T: PartialEq> List<T> {
    fn admits(&self, value: &T) -> bool {
        match self.allowed.is_empty() {
            false => self.allowed.contains(value),
            true => !self.disallowed.contains(value),
        }
    }
}

/// What may be downloaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    schemes: List<String>,
    hosts: List<String>,
    ports: List<u16>,
}

impl Filter {
    /// Reads `[import_filtering_opts]`.
    pub(super) fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.section("import_filtering_opts");
        let schemes = ["http", "https"].map(str::to_owned).to_vec();
        let lower = |hosts: Vec<String>| hosts.iter().map(|host| normalized(host)).collect();
        Ok(Self {
            schemes: List {
                allowed: options.or("allowed_schemes", schemes)?,
                disallowed: options.or("disallowed_schemes", Vec::new())?,
            },
            hosts: List {
                allowed: lower(options.or("allowed_hosts", Vec::new())?),
                disallowed: lower(options.or("disallowed_hosts", Vec::new())?),
            },
            ports: List {
                allowed: options.or("allowed_ports", vec![80, 443])?,
                disallowed: options.or("disallowed_ports", Vec::new())?,
            },
        })
    }

    /// The URL, and the addresses that it may be fetched from.
    pub(crate) async fn admit(&self, text: &str) -> Result<(Url, Vec<SocketAddr>), Refusal> {
        let url = Url::parse(text).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let (host, port) = self.check(&url)?;
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let found = found.map_err(|cause| Refusal::Unknown { host: host.clone(), cause })?;
        let named = self.hosts.allowed.contains(&host);
        let admitted: Vec<_> =
            found.filter(|address| named || self.admits_address(address.ip())).collect();
        if admitted.is_empty() { Err(Refusal::Address(host)) } else { Ok((url, admitted)) }
    }

    /// What the URL itself says.
    fn check(&self, url: &Url) -> Result<(String, u16), Refusal> {
        let scheme = url.scheme().to_owned();
        if !["http", "https"].contains(&scheme.as_str()) || !self.schemes.admits(&scheme) {
            return Err(Refusal::Scheme(scheme));
        }
        let host = normalized(url.host_str().unwrap_or_default());
        if host.is_empty() || !self.hosts.admits(&host) {
            return Err(Refusal::Host(host));
        }
        // The scheme's own port is always allowed, as in Glance.
        match url.port() {
            Some(port) if !self.ports.admits(&port) => Err(Refusal::Port(port)),
            _ => Ok((host, url.port_or_known_default().unwrap_or_default())),
        }
    }

    fn admits_address(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            v4 => v4,
        };
        let disallowed =
            self.hosts.allowed.is_empty() && self.hosts.disallowed.contains(&address.to_string());
        !disallowed
            && match address {
                IpAddr::V4(v4) => is_public_v4(v4),
                IpAddr::V6(v6) => is_public_v6(v6),
            }
    }
}

/// Not this machine, its link, a private network, or one that nobody has (RFC 6890).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b); // RFC 6598
    let benchmarks = a == 198 && (b == 18 || b == 19); // RFC 2544
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || shared
        || benchmarks
        || a == 0
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // NAT64 (RFC 6052) leads to the IPv4 address in the last four bytes.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4().is_some())
}

/// As hosts are compared: lower case, without the brackets of IPv6 and without a last dot.
fn normalized(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    bare.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn filter(text: &str) -> Filter {
        let mut config = Config::default();
        let text = format!("[import_filtering_opts]\n{text}");
        config.add_text(&text, Path::new("glance-api.conf")).unwrap();
        Filter::from_config(&config).unwrap()
    }

    async fn admits(filter: &Filter, url: &str) -> bool {
        filter.admit(url).await.is_ok()
    }

    #[tokio::test]
    async fn nobody_is_led_into_the_house() {
        let filter = filter("allowed_ports = []\n");
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "localhost",
            "[::1]",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "100.64.0.1",
            "[64:ff9b::7f00:1]",
            "[::127.0.0.1]",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!admits(&filter, &format!("http://{host}/x")).await, "{host}");
        }
        assert!(admits(&filter, "http://192.0.43.8:8080/x").await);
    }

    #[tokio::test]
    async fn a_host_that_is_allowed_by_name_may_be_anywhere() {
        let filter = filter("allowed_hosts = [127.0.0.1]\nallowed_ports = [80, 8080]\n");
        assert!(admits(&filter, "http://127.0.0.1:8080/x").await);
        assert!(admits(&filter, "http://127.0.0.1/x").await);
        assert!(!admits(&filter, "http://127.0.0.1:22/x").await);
        assert!(!admits(&filter, "http://127.0.0.2/x").await);
    }

    #[tokio::test]
    async fn schemes_and_ports_are_glances() {
        let filter = filter("");
        for url in ["file:///etc/passwd", "ftp://192.0.43.8/x", "nonsense", "", "http://"] {
            assert!(!admits(&filter, url).await, "{url}");
        }
        assert!(!admits(&filter, "http://192.0.43.8:81/x").await);
        assert!(admits(&filter, "https://192.0.43.8/x").await);
        assert!(
            !admits(&self::filter("disallowed_hosts = 192.0.43.8\n"), "http://192.0.43.8/").await
        );
    }
}
