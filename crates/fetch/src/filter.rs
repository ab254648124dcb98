//! What may be named, and where it is: `[import_filtering_opts]`.

use std::net::{IpAddr, SocketAddr};

use config::{Config, Value};
use reqwest::Url;

use crate::address::is_internal;
use crate::error::shown;
use crate::{Error, Result};

/// The section of the options.
const SECTION: &str = "import_filtering_opts";

/// What may be named. Where an option allows some, the one that disallows others does not count, as
/// in Glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    schemes: List<String>,
    hosts: List<String>,
    ports: List<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum List<T> {
    Only(Vec<T>),
    AllBut(Vec<T>),
}

/// A URL that may be fetched, and the addresses of its host that may be connected to.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub(crate) url: Url,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Glance's defaults: HTTP and HTTPS, on their own ports, from anywhere.
impl Default for Filter {
    fn default() -> Self {
        Self {
            schemes: List::Only(vec!["http".to_owned(), "https".to_owned()]),
            hosts: List::AllBut(Vec::new()),
            ports: List::Only(vec![80, 443]),
        }
    }
}

impl Filter {
    /// Reads `[import_filtering_opts]`. Errors: a value of the wrong kind.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let default = Self::default();
        Ok(Self {
            schemes: list(config, "schemes", default.schemes)?,
            hosts: list(config, "hosts", default.hosts)?.in_small_letters(),
            ports: list(config, "ports", default.ports)?,
        })
    }

    /// Looks at a URL that a user names. Errors: `NoUrl`, `Refused`.
    pub(crate) fn judge(&self, url: &str) -> Result<Url> {
        let parsed = parse(url)?;
        let refused = |why| Error::Refused { url: shown(&parsed), why };
        if !self.schemes.admits(&parsed.scheme().to_owned()) {
            return Err(refused("its scheme is not allowed"));
        }
        if !self.hosts.admits(&host(&parsed)) {
            return Err(refused("its host is not allowed"));
        }
        // As in Glance, a port that is not named is its scheme's own, and needs no leave.
        if parsed.port().is_some_and(|port| !self.ports.admits(&port)) {
            return Err(refused("its port is not allowed"));
        }
        Ok(parsed)
    }

    /// Looks a host up, and at where that leads. Errors: `Refused`, `Unresolved`.
    pub(crate) async fn resolve(&self, url: Url) -> Result<Admitted> {
        let refused = |why| Error::Refused { url: shown(&url), why };
        let port = url.port_or_known_default().ok_or_else(|| refused("it has no port"))?;
        let name = host(&url);
        let found: Vec<SocketAddr> = match name.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((name.as_str(), port))
                .await
                .map_err(|cause| Error::Unresolved { url: shown(&url), cause })?
                .collect(),
        };
        let named = self.hosts.names(&name);
        let allowed = |address: IpAddr| {
            named || !is_internal(address) && self.hosts.admits_address(&address.to_string())
        };
        let addresses: Vec<_> = found.into_iter().filter(|found| allowed(found.ip())).collect();
        match addresses.is_empty() {
            false => Ok(Admitted { url, addresses }),
            true => Err(refused("its host has no address that may be connected to")),
        }
    }
}

impl<T: PartialEq> List<T> {
    fn admits(&self, item: &T) -> bool {
        match self {
            Self::Only(allowed) => allowed.contains(item),
            Self::AllBut(disallowed) => !disallowed.contains(item),
        }
    }

    /// Whether it is allowed by name.
    fn names(&self, item: &T) -> bool {
        matches!(self, Self::Only(allowed) if allowed.contains(item))
    }
}

impl List<String> {
    /// As the names in URLs are.
    fn in_small_letters(self) -> Self {
        let small = |names: Vec<String>| names.iter().map(|name| name.to_lowercase()).collect();
        match self {
            Self::Only(allowed) => Self::Only(small(allowed)),
            Self::AllBut(disallowed) => Self::AllBut(small(disallowed)),
        }
    }

    /// Where hosts are disallowed by address, the addresses of other hosts' names count too.
    fn admits_address(&self, address: &String) -> bool {
        matches!(self, Self::Only(_)) || self.admits(address)
    }
}

fn list<T: Value>(config: &Config, what: &str, default: List<T>) -> config::Result<List<T>>
where
    Vec<T>: Value,
{
    let options = config.section(SECTION);
    let allowed: Option<Vec<T>> = options.get(&format!("allowed_{what}"))?;
    let disallowed: Option<Vec<T>> = options.get(&format!("disallowed_{what}"))?;
    Ok(match (allowed, disallowed) {
        (Some(allowed), _) if !allowed.is_empty() => List::Only(allowed),
        // An empty list of what is allowed makes the other one count.
        (Some(_), disallowed) => List::AllBut(disallowed.unwrap_or_default()),
        (None, Some(disallowed)) if matches!(default, List::AllBut(_)) => List::AllBut(disallowed),
        (None, _) => default,
    })
}

/// A URL with a host. Numbers that some programs take for addresses, as `0x7f000001` or `127.1`,
/// are refused: an address is written as one.
pub(crate) fn parse(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| Error::NoUrl)?;
    let host = url.host_str().ok_or(Error::NoUrl)?;
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) if !text.contains(host) => {
            Err(Error::Refused { url: shown(&url), why: "its host is a disguised address" })
        }
        _ => Ok(url),
    }
}

/// The host's name or address, without the brackets of IPv6, and without the point at its end that
/// makes a name no other one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn filter(options: &str) -> Filter {
        let mut config = Config::default();
        let text = format!("[import_filtering_opts]\n{options}");
        config.add_text(&text, Path::new("glance-api.conf")).unwrap();
        Filter::from_config(&config).unwrap()
    }

    async fn admit(filter: &Filter, url: &str) -> Result<Admitted> {
        filter.resolve(filter.judge(url)?).await
    }

    async fn admitted(filter: &Filter, url: &str) -> bool {
        admit(filter, url).await.is_ok()
    }

    #[tokio::test]
    async fn by_default_only_what_lies_outside_is_admitted() {
        let filter = filter("");
        assert_eq!(filter, Filter::default());
        for good in ["http://192.0.2.7/x", "https://192.0.2.7:443/x", "http://10.1.2.3/x"] {
            assert!(admitted(&filter, good).await, "{good}");
        }
        for bad in [
            "http://127.0.0.1/x",
            "http://localhost/x",
            "http://[::1]/x",
            "http://[::ffff:127.0.0.1]/x",
            "http://169.254.169.254/latest/meta-data",
            "http://0x7f000001/x",
            "http://2130706433/x",
            "http://127.1/x",
            "http://3221226247/x",
            "http://0/x",
            "http://192.0.2.7:22/x",
            "ftp://192.0.2.7/x",
            "file:///etc/passwd",
            "http:///x",
            "",
        ] {
            assert!(!admitted(&filter, bad).await, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_host_that_is_allowed_by_name_may_be_this_machine() {
        let filter = filter("allowed_hosts = [127.0.0.1]\nallowed_ports = [80, 8080]\n");
        assert!(admitted(&filter, "http://127.0.0.1:8080/x").await);
        assert!(!admitted(&filter, "http://127.0.0.2:8080/x").await);
        assert!(!admitted(&filter, "http://192.0.2.7/x").await);
        assert!(!admitted(&filter, "http://127.0.0.1:8081/x").await);
    }

    #[tokio::test]
    async fn what_is_disallowed_counts_where_nothing_is_allowed() {
        let filter = filter(
            "allowed_schemes = []\ndisallowed_schemes = [https]\nallowed_ports =\n\
             disallowed_ports = [22]\ndisallowed_hosts = [192.0.2.7]\n",
        );
        assert!(admitted(&filter, "http://192.0.2.8:8080/x").await);
        for bad in ["http://192.0.2.7/x", "https://192.0.2.8/x", "http://192.0.2.8:22/x"] {
            assert!(!admitted(&filter, bad).await, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_host_is_the_same_in_capitals_and_with_a_point_at_its_end() {
        let filter = filter("disallowed_hosts = [Keystone.Example]\n");
        for url in ["http://keystone.example/x", "http://KEYSTONE.example./x"] {
            let refused = filter.judge(url).unwrap_err().to_string();
            assert!(refused.contains("its host is not allowed"), "{refused}");
        }
    }

    /// What was admitted once is read again, as long as it does not lead inside meanwhile.
    #[tokio::test]
    async fn records_are_only_asked_where_they_lead() {
        let filter = filter("");
        let locate = async |url| filter.resolve(parse(url)?).await;
        assert!(locate("http://192.0.2.7:8080/x").await.is_ok());
        assert!(locate("http://127.0.0.1:8080/x").await.is_err());
    }

    #[tokio::test]
    async fn refusals_show_no_credentials() {
        let error =
            admit(&filter(""), "http://user:secret@127.0.0.1/x?key=secret").await.unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
