//! Where a registry is: `tls://HOST:PORT`, `tcp://HOST:PORT`, `unix:///PATH`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where a registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and port, reached over TLS.
    Tls(String, u16),
    /// A port of this machine, in the clear.
    Plain(String, u16),
    /// A socket in the file system, whose permissions say who may.
    Socket(PathBuf),
}

/// Why a text is no address of a registry.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BadAddress {
    /// Another scheme, or none; or no port.
    #[error(
        "'{0}' is no address of a registry; it is tls://HOST:PORT, unix:///PATH, or \
         tcp://127.0.0.1:PORT on one machine"
    )]
    Form(String),
    /// In the clear, to another machine.
    #[error("tcp:// is for this machine alone; '{0}' is reached with tls://")]
    Elsewhere(String),
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let form = || BadAddress::Form(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        if scheme == "unix" && rest.starts_with('/') {
            return Ok(Self::Socket(rest.into()));
        }
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or_else(form)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = port.parse().map_err(|_| form())?;
        match scheme {
            _ if host.is_empty() => Err(form()),
            "tls" => Ok(Self::Tls(host, port)),
            "tcp" if is_loopback(&host) => Ok(Self::Plain(host, port)),
            "tcp" => Err(BadAddress::Elsewhere(host)),
            _ => Err(form()),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let ip = host.parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(host, port) => write!(f, "tls://{host}:{port}"),
            Self::Plain(host, port) => write!(f, "tcp://{host}:{port}"),
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["tls://registry:9191", "tcp://127.0.0.1:9191", "unix:///run/registry.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for bad in
            ["registry:9191", "http://registry:9191", "tls://registry", "unix://x", "tls://:1"]
        {
            assert!(matches!(bad.parse::<Address>(), Err(BadAddress::Form(_))), "{bad}");
        }
    }

    #[test]
    fn nothing_goes_to_other_machines_in_the_clear() {
        let elsewhere = "tcp://registry:9191".parse::<Address>();
        assert_eq!(elsewhere, Err(BadAddress::Elsewhere("registry".into())));
    }
}
