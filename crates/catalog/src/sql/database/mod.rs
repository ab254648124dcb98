//! Which database a catalog is in: connection strings in SQLAlchemy's spelling.

mod certificates;
mod mysql;
mod option_file;
mod parts;
mod postgres;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;

use super::LocationKey;

use certificates::Certificates;
use parts::Parts;
use postgres::Hosts;
pub(super) use postgres::Wanted;

/// Where a catalog is, and how it is reached. Shown without its password.
#[derive(Clone)]
pub struct Database {
    pub(super) place: Place,
    /// How connections are kept.
    pub limits: Limits,
    /// The `sql_mode` of each connection to a MySQL (`mysql_sql_mode`); `None` for the server's own,
    /// which may cut texts without a word.
    pub sql_mode: Option<String>,
    /// What each connection to a MariaDB waits for before it looks, so that it sees what was done on
    /// other nodes of a Galera cluster (`mysql_wsrep_sync_wait`).
    pub wsrep_sync_wait: Option<u32>,
    /// What the URLs of locations are encrypted with (`metadata_encryption_key`).
    pub location_key: Option<LocationKey>,
}

#[derive(Clone)]
pub(super) enum Place {
    File(PathBuf),
    MySql(Box<MySqlConnectOptions>, Certificates),
    Postgres(Hosts),
}

/// How many connections there are, and how long is waited for them; `None` is for no limit. The
/// defaults are oslo.db's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time (`max_pool_size` and `max_overflow`).
    pub connections: Option<u32>,
    /// How many of them stay open when nobody needs them any more (`max_pool_size`).
    pub kept: usize,
    /// How long a request waits for one of them (`pool_timeout`).
    pub patience: Duration,
    /// After how long a connection is replaced (`connection_recycle_time`).
    pub recycle: Option<Duration>,
    /// How often a start tries to reach the database again (`max_retries`).
    pub retries: Option<u32>,
    /// How long it waits in between (`retry_interval`).
    pub interval: Duration,
    /// How often a transaction is repeated that was in another's way (`db_max_retries`).
    pub repetitions: Option<u32>,
}

/// oslo.db's `sql_mode`: what a column can't hold is refused.
const SQL_MODE: &str = "TRADITIONAL";

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Some(55),
            kept: 5,
            patience: Duration::from_secs(30),
            recycle: Some(Duration::from_secs(3600)),
            retries: Some(10),
            interval: Duration::from_secs(10),
            repetitions: Some(20),
        }
    }
}

/// Why a connection string is none. It is not repeated: it may hold a password.
#[derive(Debug, Error)]
pub enum BadConnection {
    /// Another database.
    #[error(
        "the connection string has to begin with sqlite:///, mysql://, mysql+pymysql://, \
         postgresql:// or postgresql+psycopg2://"
    )]
    Kind,
    /// No address of a server.
    #[error(
        "the connection string has to have HOST, HOST:PORT or [IPV6]:PORT behind the account; an @ \
         in a password is written as %40, and a : in a user's name as %3A"
    )]
    Address,
    /// A parameter that the driver refuses.
    #[error(
        "the connection string has a parameter with a value that can't be: a port that is no number, \
         or a word for TLS or target_session_attrs that is unknown"
    )]
    Parameter,
    /// A file of options that can't be read.
    #[error("the connection string's read_default_file {path}: {why}")]
    OptionFile {
        /// Its name.
        path: String,
        /// Why not.
        why: String,
    },
    /// A folder of certificates.
    #[error(
        "the connection string has ssl_capath, a folder of certificates; name a file of them by \
         ssl_ca"
    )]
    Folder,
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::at(Place::File(path.to_owned()))
    }
}

impl FromStr for Database {
    type Err = BadConnection;

    fn from_str(connection: &str) -> Result<Self, BadConnection> {
        Self::of(connection, "")
    }
}

impl Database {
    /// What a connection string names, with parameters that stand elsewhere (`connection_parameters`).
    pub fn of(connection: &str, parameters: &str) -> Result<Self, BadConnection> {
        let (scheme, rest) = connection.split_once("://").ok_or(BadConnection::Kind)?;
        let place = match scheme.split('+').next() {
            Some("sqlite") => {
                let path = rest.strip_prefix('/').filter(|path| !path.is_empty());
                let path = path.map(|path| path.split_once('?').map_or(path, |(path, _)| path));
                Place::File(path.ok_or(BadConnection::Kind)?.into())
            }
            Some("mysql" | "mariadb") => {
                let (options, certificates) = mysql::options(Parts::of(rest, parameters)?)?;
                Place::MySql(Box::new(options), certificates)
            }
            Some("postgresql" | "postgres") => {
                Place::Postgres(postgres::hosts(Parts::of(rest, parameters)?)?)
            }
            _ => return Err(BadConnection::Kind),
        };
        Ok(Self::at(place))
    }
}

/// The parameters of a connection string: names, and values.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn get(&self, wanted: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// Each time that a parameter is given.
    fn all(&self, wanted: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is set, and what it says then.
    fn is_on(&self, name: &str) -> Option<bool> {
        let value = self.get(name)?.to_lowercase();
        Some(matches!(value.as_str(), "1" | "true" | "yes" | "y" | "on" | "t"))
    }

    /// Its value is nobody's business: it may be a password.
    fn warn_of(name: &str) {
        tracing::warn!("[database] connection: the parameter {name} has no effect here");
    }
}

impl Database {
    fn at(place: Place) -> Self {
        Self {
            place,
            limits: Limits::default(),
            sql_mode: Some(SQL_MODE.to_owned()),
            wsrep_sync_wait: None,
            location_key: None,
        }
    }

    /// The file, of an SQLite database.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => path.display().fmt(f),
            Place::MySql(to, _) => {
                let name = to.get_database().unwrap_or_default();
                write!(f, "mysql://{}:{}/{name}", to.get_host(), to.get_port())
            }
            Place::Postgres(Hosts { all: to, .. }) => {
                let name = to.iter().find_map(PgConnectOptions::get_database).unwrap_or_default();
                let address =
                    |to: &PgConnectOptions| format!("{}:{}", to.get_host(), to.get_port());
                let addresses: Vec<_> = to.iter().map(address).collect();
                write!(f, "postgresql://{}/{name}", addresses.join(","))
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_are_sqlalchemys() {
        let cases = [
            ("sqlite:////var/lib/glance.db", "/var/lib/glance.db"),
            ("sqlite:///glance.db", "glance.db"),
            ("mysql+pymysql://glance:s%40cret@db/glance?charset=utf8", "mysql://db:3306/glance"),
            ("mysql://glance:secret@db:3307/glance", "mysql://db:3307/glance"),
            ("postgresql+psycopg2://glance:secret@db/glance", "postgresql://db:5432/glance"),
            (
                "postgresql://glance:secret@db:5433/glance?sslmode=require",
                "postgresql://db:5433/glance",
            ),
            (
                "mysql+pymysql://glance:secret@/glance?unix_socket=/run/mysqld/mysqld.sock",
                "mysql://localhost:3306/glance",
            ),
            ("postgresql://glance:secret@/glance?host=/run", "postgresql://localhost:5432/glance"),
            ("mysql://glance:12#secret@db/glance", "mysql://db:3306/glance"),
            ("postgresql://glance:12#s/e?cret@db/glance", "postgresql://db:5432/glance"),
        ];
        for (connection, shown) in cases {
            let database: Database = connection.parse().unwrap();
            assert_eq!(database.to_string(), shown);
            assert!(!format!("{database:?}").contains("cret"));
        }
    }

    #[test]
    fn what_is_no_connection_string_is_not_repeated() {
        for connection in
            ["oracle://a:secret@b/c", "secret", "mysql://a:secret@b:port/c", "sqlite://"]
        {
            let refused = connection.parse::<Database>().err().unwrap();
            assert!(!refused.to_string().contains("secret@"), "{refused}");
            assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
        }
    }
}
