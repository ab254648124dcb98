//! `rabbit://user:password@host:port,user:password@host:port/virtual_host?query`, as
//! oslo.messaging's `TransportURL`.

use std::fmt;
use std::str::FromStr;

/// The port of AMQP (IANA).
const PORT: u16 = 5672;

/// What RabbitMQ is called in such URLs.
const SCHEMES: &[&str] = &["rabbit", "kombu", "amqp"];

/// The brokers that notifications can go to.
#[derive(Clone, PartialEq, Eq)]
pub struct TransportUrl {
    /// One of them is enough.
    pub(crate) hosts: Vec<Host>,
    /// The virtual host: `/` where the URL names none.
    pub(crate) virtual_host: String,
}

/// A broker.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl Default for TransportUrl {
    fn default() -> Self {
        Self { hosts: vec![Host::at("localhost", PORT)], virtual_host: "/".to_owned() }
    }
}

impl Host {
    fn at(name: &str, port: u16) -> Self {
        // What a broker lets in that nobody has set up.
        let (user, password) = ("guest".to_owned(), "guest".to_owned());
        Self { user, password, name: name.to_owned(), port }
    }
}

/// Without the passwords.
impl fmt::Debug for TransportUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        write!(f, "rabbit://{}/{}", hosts.join(","), self.virtual_host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

impl FromStr for TransportUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("expected rabbit://…")?;
        if !SCHEMES.contains(&scheme) {
            return Err(format!(
                "expected rabbit://…, this version sends to RabbitMQ only, not {scheme}"
            ));
        }
        let rest = rest.split('?').next().unwrap_or_default();
        let (hosts, virtual_host) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
        let hosts = hosts.map(host).collect::<Result<Vec<_>, _>>()?;
        let default = Self::default();
        Ok(Self {
            hosts: if hosts.is_empty() { default.hosts } else { hosts },
            virtual_host: match decode(virtual_host)? {
                name if name.is_empty() => default.virtual_host,
                name => name,
            },
        })
    }
}

fn host(text: &str) -> Result<Host, String> {
    let (who, place) = text.rsplit_once('@').unwrap_or(("", text));
    // Brackets hold colons that are none of a port: IPv6.
    let (name, port) = match place.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (place, None),
    };
    let port = port.map_or(Ok(PORT), |port| port.parse().map_err(|_| "a port is a number"))?;
    let mut host = Host::at(name.trim_start_matches('[').trim_end_matches(']'), port);
    if !who.is_empty() {
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        (host.user, host.password) = (decode(user)?, decode(password)?);
    }
    Ok(host)
}

/// RFC 3986, 2.1.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                let digits = std::str::from_utf8(&digits).ok();
                let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                code.ok_or("two hexadecimal digits follow a '%'")?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| "what follows a '%' is UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (Vec<(String, String, String, u16)>, String) {
        let url: TransportUrl = url.parse().unwrap();
        let host =
            |host: &Host| (host.user.clone(), host.password.clone(), host.name.clone(), host.port);
        (url.hosts.iter().map(host).collect(), url.virtual_host)
    }

    fn at(user: &str, password: &str, name: &str, port: u16) -> (String, String, String, u16) {
        (user.into(), password.into(), name.into(), port)
    }

    #[test]
    fn hosts_users_and_virtual_hosts_are_read() {
        let two = "rabbit://u:p%40ss@one:5673,u2:p2@[::1]/glance%2Fx?ssl=1";
        let hosts = vec![at("u", "p@ss", "one", 5673), at("u2", "p2", "::1", 5672)];
        assert_eq!(parsed(two), (hosts, "glance/x".to_owned()));
        let default = (vec![at("guest", "guest", "localhost", 5672)], "/".to_owned());
        for url in ["rabbit://", "rabbit:///", "rabbit://localhost//"] {
            let (hosts, virtual_host) = parsed(url);
            assert_eq!((hosts, virtual_host.as_str()), (default.0.clone(), "/"), "{url}");
        }
    }

    #[test]
    fn other_transports_and_wrong_ports_are_refused() {
        for url in ["kafka://x", "x", "rabbit://host:port/", "rabbit://a%2:b@c"] {
            assert!(url.parse::<TransportUrl>().is_err(), "{url}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let url: TransportUrl = "rabbit://u:secret@one/v".parse().unwrap();
        assert_eq!(format!("{url:?}"), "rabbit://one:5672/v");
    }
}
