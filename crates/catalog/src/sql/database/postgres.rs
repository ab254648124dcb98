//! Connection strings of PostgreSQL: the parameters that SQLAlchemy hands to libpq.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::form_urlencoded;

use super::certificates::{Certificates, Names};
use super::parts::Parts;
use super::{BadConnection, Parameters};

const FILES: Names = ["sslrootcert", "sslcert", "sslkey"];

/// The parameters of libpq that have an effect, beside `options[…]` and those of addresses.
const KNOWN: [&str; 9] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Those that name addresses.
const ADDRESSES: [&str; 3] = ["host", "hostaddr", "port"];

/// Those that say which of them it is.
const CHOICE: [&str; 2] = ["target_session_attrs", "connect_timeout"];

/// Which of several hosts is wanted (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Wanted {
    Any,
    /// Its sessions may write.
    ReadWrite,
    /// They may not.
    ReadOnly,
    /// It is no standby of another one.
    Primary,
    /// It is.
    Standby,
}

const WANTED: [(&str, Wanted); 5] = [
    ("any", Wanted::Any),
    ("read-write", Wanted::ReadWrite),
    ("read-only", Wanted::ReadOnly),
    ("primary", Wanted::Primary),
    ("standby", Wanted::Standby),
];

/// How long a host is given to answer, where there is another one to be tried: less than until a
/// server is taken for hanging.
const PATIENCE: Duration = Duration::from_secs(3);

/// One server, or one of several, that hold the same database.
#[derive(Clone)]
pub(in crate::sql) struct Hosts {
    /// In the order in which they are tried; never empty.
    pub(in crate::sql) all: Vec<PgConnectOptions>,
    pub(in crate::sql) certificates: Certificates,
    pub(in crate::sql) wanted: Wanted,
    /// How long each is given to answer; `None` for as long as the system tries.
    pub(in crate::sql) patience: Option<Duration>,
}

pub(super) fn hosts(parts: Parts) -> Result<Hosts, BadConnection> {
    let addresses = addresses(&parts)?;
    let Parts { user, password, database, parameters, .. } = parts;
    let named = [("user", user), ("password", password), ("dbname", database)];
    let mut known: Vec<_> =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    for (name, value) in &parameters.0 {
        match name.as_str() {
            name if ADDRESSES.contains(&name) || CHOICE.contains(&name) => {}
            name if KNOWN.contains(&name) || name.starts_with("options[") => {
                known.push((name.to_owned(), value.clone()));
            }
            name => Parameters::warn_of(name),
        }
    }
    let all = addresses.iter().map(|address| of_address(address, &known, &parameters));
    Ok(Hosts {
        all: all.collect::<Result<_, _>>()?,
        certificates: Certificates::of(&parameters, FILES),
        wanted: wanted(&parameters)?,
        patience: patience(&parameters)?.or((addresses.len() > 1).then_some(PATIENCE)),
    })
}

fn wanted(parameters: &Parameters) -> Result<Wanted, BadConnection> {
    let Some(said) = parameters.get("target_session_attrs") else { return Ok(Wanted::Any) };
    let known = WANTED.into_iter().find(|(word, _)| *word == said);
    known.map(|(_, wanted)| wanted).ok_or(BadConnection::Parameter)
}

/// libpq takes zero for no limit, and so it does less.
fn patience(parameters: &Parameters) -> Result<Option<Duration>, BadConnection> {
    let said = parameters.get("connect_timeout").map(str::parse::<i64>).transpose();
    let said = said.map_err(|_| BadConnection::Parameter)?;
    let said = said.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    Ok(said.map(Duration::from_secs))
}

/// A host, which may be the folder of a socket, and a port.
type Address = (String, Option<u16>);

/// Those that parameters name count before those of the string itself. Source:
/// `_split_multihost_from_url` of SQLAlchemy's dialect of PostgreSQL.
fn addresses(parts: &Parts) -> Result<Vec<Address>, BadConnection> {
    let named = |name| parts.parameters.all(name).flat_map(|value| value.split(','));
    let ports = named("port").map(|port| Some(port).filter(|port| !port.is_empty()));
    let ports = ports.map(|port| port.map(str::parse).transpose());
    let mut ports: Vec<_> = ports.collect::<Result<_, _>>().map_err(|_| BadConnection::Address)?;
    let address = |text: &str| {
        let port = text.rsplit_once(':').filter(|(host, _)| !host.contains([':', '/']));
        match port.map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => Ok((host.to_owned(), Some(port))),
            Some(_) => Err(BadConnection::Address),
            None => Ok((text.to_owned(), None)),
        }
    };
    let list = if named("hostaddr").next().is_some() { "hostaddr" } else { "host" };
    let mut found = named(list).map(address).collect::<Result<Vec<_>, _>>()?;
    match (found.as_mut_slice(), parts.ports.as_slice()) {
        ([], own) => {
            let hosts = parts.hosts.iter().map(|host| host.as_deref().unwrap_or("localhost"));
            found = hosts.map(str::to_owned).zip(own.iter().copied()).collect();
        }
        // One that only a parameter names, such as the folder of a socket, has the string's own port.
        ([(_, port @ None)], [own]) => *port = *own,
        _ => {}
    }
    if let [one] = ports.as_slice() {
        ports = vec![*one; found.len()];
    }
    if !ports.is_empty() && ports.len() != found.len() {
        return Err(BadConnection::Address);
    }
    let ports = ports.into_iter().chain(std::iter::repeat(None));
    Ok(found.into_iter().zip(ports).map(|((host, own), port)| (host, port.or(own))).collect())
}

fn of_address(
    (host, port): &Address,
    known: &[(String, String)],
    parameters: &Parameters,
) -> Result<PgConnectOptions, BadConnection> {
    // A password that no parameter says may stand in a file, by the host: sqlx looks there when it
    // reads a URL.
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("host", host).extend_pairs(known);
    if let Some(port) = port {
        query.append_pair("port", &port.to_string());
    }
    let url = format!("postgresql:///?{}", query.finish());
    let options: PgConnectOptions = url.parse().map_err(|_| BadConnection::Parameter)?;
    let mode = trust(options.get_ssl_mode(), parameters);
    let options = options.ssl_mode(mode);
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("tintype"),
    })
}

/// libpq checks the server's certificate, too, where it is to be encrypted to and there is a CA
/// ("SSL Support", "Protection Provided in Different Modes"); what `allow` begins in plain,
/// `prefer` begins encrypted.
fn trust(mode: PgSslMode, parameters: &Parameters) -> PgSslMode {
    match mode {
        PgSslMode::Require if parameters.get("sslrootcert").is_some() => PgSslMode::VerifyCa,
        PgSslMode::Allow => PgSslMode::Prefer,
        mode => mode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options_of(rest: &str, parameters: &str) -> Result<Vec<PgConnectOptions>, BadConnection> {
        hosts(Parts::of(rest, parameters)?).map(|hosts| hosts.all)
    }

    fn only(parameters: &str) -> PgConnectOptions {
        options_of("glance:s@db/glance", parameters).unwrap().remove(0)
    }

    #[test]
    fn hosts_and_ports_are_those_that_libpq_gets() {
        let cases = [
            ("g:s@db/n", "", "db:5432"),
            ("g:s@db/n", "port=5", "db:5"),
            ("g:s@db:4/n", "port=5", "db:5"),
            ("g:s@h1,h2/n", "", "h1:5432 h2:5432"),
            ("g:s@h1,h2:5/n", "", "h1:5 h2:5"),
            ("g:s@h1:4,h2:5/n", "", "h1:4 h2:5"),
            ("g:s@/n", "host=h1:4&host=h2:5", "h1:4 h2:5"),
            ("g:s@/n", "host=h1,h2&port=4,5", "h1:4 h2:5"),
            ("g:s@/n", "host=h1,h2&port=4,", "h1:4 h2:5432"),
            ("g:s@/n", "host=h1,h2&port=4", "h1:4 h2:4"),
            ("g:s@db:4/n", "host=h1&hostaddr=::1", "::1:4"),
            ("g:s@db:4/n", "host=h1", "h1:4"),
            ("g:s@db:4/n", "host=h1:5", "h1:5"),
            ("g:s@db:4/n", "host=h1&port=5", "h1:5"),
            ("g:s@db:4/n", "host=h1&host=h2", "h1:5432 h2:5432"),
            ("g:s@localhost:4/n", "host=/run/x", "/run/x:4"),
            ("g:s@/n", "host=/run:5/x", "/run:5/x:5432"),
        ];
        for (rest, parameters, expected) in cases {
            let found = options_of(rest, parameters).unwrap();
            let shown = |to: &PgConnectOptions| {
                let host =
                    to.get_socket().map_or(to.get_host().into(), |path| path.to_string_lossy());
                format!("{host}:{}", to.get_port())
            };
            let found: Vec<_> = found.iter().map(shown).collect();
            assert_eq!(found.join(" "), expected, "{rest} {parameters}");
        }
        let refused = ["host=h1:x", "connect_timeout=x", "target_session_attrs=prefer-standby"];
        for parameters in refused.into_iter().chain(["port=x", "host=h1,h2&port=1,2,3", "port=1,2"])
        {
            assert!(options_of("g:s@db/n", parameters).is_err(), "{parameters}");
        }
    }

    #[test]
    fn a_host_is_given_so_long_where_there_is_another_or_somebody_says_so() {
        let cases = [
            ("db", "", None),
            ("h1,h2", "", Some(3)),
            ("h1,h2", "connect_timeout=0", Some(3)),
            ("h1,h2", "connect_timeout=7", Some(7)),
            ("db", "connect_timeout=7", Some(7)),
        ];
        for (host, parameters, seconds) in cases {
            let parts = Parts::of(&format!("g:s@{host}/n"), parameters).unwrap();
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(hosts(parts).unwrap().patience, expected, "{host} {parameters}");
        }
    }

    #[test]
    fn trust_is_what_libpq_makes_of_the_parameters() {
        let cases = [
            ("", "Prefer"),
            ("sslmode=allow", "Prefer"),
            ("sslmode=disable", "Disable"),
            ("sslmode=require", "Require"),
            ("sslmode=require&sslrootcert=/ca.pem", "VerifyCa"),
            ("sslrootcert=/ca.pem&sslmode=require", "VerifyCa"),
            ("sslmode=verify-ca&sslrootcert=/ca.pem", "VerifyCa"),
            ("sslmode=verify-full&sslrootcert=/ca.pem", "VerifyFull"),
        ];
        for (parameters, mode) in cases {
            assert_eq!(format!("{:?}", only(parameters).get_ssl_mode()), mode, "{parameters}");
        }
    }

    #[test]
    fn the_server_is_told_who_asks() {
        let name = |parameters: &str| only(parameters).get_application_name().map(str::to_owned);
        assert_eq!(name("").as_deref(), Some("tintype"));
        assert_eq!(name("application_name=glance").as_deref(), Some("glance"));
    }
}
