//! A connection string's parts, as SQLAlchemy takes it apart (`_parse_url` of
//! `sqlalchemy/engine/url.py`). It is no URL: a password may have any character but `@`.

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::{BadConnection, Parameters};

/// What stands behind `://`. What is empty is not there, but for a password.
pub(super) struct Parts {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// Of hosts of which none is named, there is one: of this machine.
    pub(super) hosts: Vec<Option<String>>,
    /// One for all hosts, or one for each.
    pub(super) ports: Vec<Option<u16>>,
    pub(super) database: Option<String>,
    pub(super) parameters: Parameters,
}

impl Parts {
    /// `further` are parameters that stand elsewhere. Errors: `Address`.
    pub(super) fn of(rest: &str, further: &str) -> Result<Self, BadConnection> {
        let (user, password, rest) = account(rest);
        let (address, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, ports) = addresses(address)?;
        let given = |text: &str| Some(decoded(text)).filter(|text| !text.is_empty());
        Ok(Self {
            user: user.and_then(given),
            password: password.map(decoded),
            hosts,
            ports,
            database: path.strip_prefix('/').and_then(given),
            parameters: Parameters([parameters(query), parameters(further)].concat()),
        })
    }
}

/// `USER[:PASSWORD]@`, and what stands behind it. A password goes as far as the first `@`, or, which
/// SQLAlchemy would take for a part of the host, the last one before the path.
fn account(rest: &str) -> (Option<&str>, Option<&str>, &str) {
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    let secret = behind.strip_prefix(':').and_then(|secret| Some((secret, secret.find('@')?)));
    if let Some((secret, at)) = secret {
        let path = secret[at..].find(['/', '?']).map_or(secret.len(), |path| at + path);
        let at = secret[..path].rfind('@').unwrap_or(at);
        return (Some(name), Some(&secret[..at]), &secret[at + 1..]);
    }
    match name.rfind('@') {
        Some(at) => (Some(&rest[..at]), None, &rest[at + 1..]),
        None => (None, None, rest),
    }
}

type Addresses = (Vec<Option<String>>, Vec<Option<u16>>);

/// `[HOST,…][:PORT]`, where a host of IPv6 stands in brackets; and what libpq takes as well, where
/// each host may have a port.
fn addresses(text: &str) -> Result<Addresses, BadConnection> {
    let mut found = text.split(',').map(address).collect::<Result<Vec<_>, _>>()?;
    let has_port = |(_, port): &(_, Option<u16>)| port.is_some();
    if let [others @ .., last] = found.as_mut_slice()
        && !others.iter().any(has_port)
    {
        others.iter_mut().for_each(|(_, port)| *port = last.1);
    }
    Ok(found.into_iter().unzip())
}

fn address(text: &str) -> Result<(Option<String>, Option<u16>), BadConnection> {
    let (host, behind) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(BadConnection::Address)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match behind.strip_prefix(':') {
        Some(port) => Some(port.parse().map_err(|_| BadConnection::Address)?),
        None if behind.is_empty() => None,
        None => return Err(BadConnection::Address),
    };
    Ok((Some(host.to_owned()).filter(|host| !host.is_empty()), port))
}

/// Those that have a value.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| (name.into(), value.into())).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user, a password, hosts with their ports, and a database.
    fn shown(rest: &str) -> String {
        let parts = Parts::of(rest, "").unwrap();
        let [user, password, database] = [&parts.user, &parts.password, &parts.database]
            .map(|part| part.as_deref().unwrap_or("-"));
        let addresses = parts.hosts.iter().zip(&parts.ports).map(|(host, port)| {
            let port = port.map_or("-".into(), |port| port.to_string());
            format!("{} {port}", host.as_deref().unwrap_or("-"))
        });
        let addresses: Vec<_> = addresses.collect();
        format!("{user} {password} {} {database}", addresses.join(" "))
    }

    #[test]
    fn parts_are_those_that_sqlalchemy_finds() {
        let cases = [
            ("glance:12#x@db/n", "glance 12#x db - n"),
            ("glance:a/b?c@db:33/n?charset=utf8", "glance a/b?c db 33 n"),
            ("u:p:q@h/n", "u p:q h - n"),
            ("u@dom:pw@db/n", "u@dom pw db - n"),
            ("u:p%40%2b+%zz@[::1]:3/n%20m", "u p@++%zz ::1 3 n m"),
            ("db/n?x=a@b", "- - db - n"),
            ("db:3/n", "- - db 3 n"),
            ("u@db:3/n", "u - db 3 n"),
            ("u:p@/n", "u p - - n"),
            ("u:@h?charset=x", "u  h - -"),
            ("u:p@h", "u p h - -"),
            ("u:p@h/", "u p h - -"),
            ("/n", "- - - - n"),
            ("u:p@h/n/x#y?z=1#2&k=", "u p h - n/x#y"),
            // What it would not find anything by.
            ("u:p@ss@db/n", "u p@ss db - n"),
            ("u:p@s/s@db/n", "u p s - s@db/n"),
        ];
        for (rest, expected) in cases {
            assert_eq!(shown(rest), expected, "{rest}");
        }
    }

    #[test]
    fn hosts_may_be_several() {
        let cases = [
            ("u:p@h1,h2/n", "u p h1 - h2 - n"),
            ("u:p@h1,h2:5/n", "u p h1 5 h2 5 n"),
            ("u:p@h1:4,h2:5/n", "u p h1 4 h2 5 n"),
            ("u:p@h1:4,[::1]/n", "u p h1 4 ::1 - n"),
        ];
        for (rest, expected) in cases {
            assert_eq!(shown(rest), expected, "{rest}");
        }
    }

    #[test]
    fn parameters_are_those_with_a_value() {
        let Parameters(found) =
            Parts::of("u:p?@h/n?a=1%2B2&b=&c=1#2+3&d", "e=4&f=").unwrap().parameters;
        assert_eq!(
            found,
            [("a", "1+2"), ("c", "1#2 3"), ("e", "4")].map(|(a, b)| (a.into(), b.into()))
        );
    }

    #[test]
    fn an_address_has_a_number_for_a_port() {
        for rest in ["u:p@h:/n", "u:p@h:x/n", "u:p@h:70000/n", "u:p@[::1/n", "u:p@[::1]x/n"] {
            assert!(matches!(Parts::of(rest, ""), Err(BadConnection::Address)), "{rest}");
        }
    }
}
