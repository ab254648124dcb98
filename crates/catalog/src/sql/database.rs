//! Which database a catalog is in: connection strings in SQLAlchemy's spelling.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;
use url::Url;

use super::LocationKey;

/// Where a catalog is, and how it is reached. Shown without its password.
#[derive(Clone)]
pub struct Database {
    pub(super) place: Place,
    /// How connections are kept.
    pub limits: Limits,
    /// What the URLs of locations are encrypted with (`metadata_encryption_key`).
    pub location_key: Option<LocationKey>,
}

#[derive(Clone)]
pub(super) enum Place {
    File(PathBuf),
    MySql(Box<MySqlConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// How many connections there are, and how long is waited for them. The defaults are oslo.db's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time (`max_pool_size` and `max_overflow`).
    pub connections: u32,
    /// How long a request waits for one of them (`pool_timeout`).
    pub patience: Duration,
    /// After how long a connection is replaced (`connection_recycle_time`).
    pub recycle: Duration,
    /// How often a start tries to reach the database again; `None` for ever (`max_retries`).
    pub retries: Option<u32>,
    /// How long it waits in between (`retry_interval`).
    pub interval: Duration,
    /// How often a transaction is repeated that was in another's way (`db_max_retries`).
    pub repetitions: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 55,
            patience: Duration::from_secs(30),
            recycle: Duration::from_secs(3600),
            retries: Some(10),
            interval: Duration::from_secs(10),
            repetitions: 20,
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
    /// No URL.
    #[error(
        "the connection string is no URL ({0}); characters like @, : and / are written as %XX in passwords"
    )]
    Url(#[from] url::ParseError),
    /// A parameter that the driver refuses.
    #[error(
        "the connection string names no server and database, or a TLS parameter that is unknown"
    )]
    Parameter,
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self { place: Place::File(path.to_owned()), limits: Limits::default(), location_key: None }
    }
}

impl FromStr for Database {
    type Err = BadConnection;

    fn from_str(connection: &str) -> Result<Self, BadConnection> {
        let (scheme, rest) = connection.split_once("://").ok_or(BadConnection::Kind)?;
        let place = match scheme.split('+').next() {
            Some("sqlite") => {
                let path = rest.strip_prefix('/').filter(|path| !path.is_empty());
                let path = path.map(|path| path.split_once('?').map_or(path, |(path, _)| path));
                Place::File(path.ok_or(BadConnection::Kind)?.into())
            }
            Some("mysql" | "mariadb") => Place::MySql(Box::new(mysql(rest)?)),
            Some("postgresql" | "postgres") => Place::Postgres(Box::new(postgres(rest)?)),
            _ => return Err(BadConnection::Kind),
        };
        Ok(Self { place, limits: Limits::default(), location_key: None })
    }
}

/// The parameters are those of PyMySQL.
fn mysql(rest: &str) -> Result<MySqlConnectOptions, BadConnection> {
    let mut url = Url::parse(&format!("mysql://{rest}"))?;
    let parameters = parameters(&url);
    url.set_query(None);
    let mut options = MySqlConnectOptions::from_url(&url).map_err(|_| BadConnection::Parameter)?;
    let is_on = |value: &str| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes");
    let mut mode = MySqlSslMode::Preferred;
    for (name, value) in &parameters {
        options = match name.as_str() {
            "ssl_ca" => {
                if !matches!(mode, MySqlSslMode::VerifyIdentity) {
                    mode = MySqlSslMode::VerifyCa;
                }
                options.ssl_ca(value)
            }
            "ssl_cert" => options.ssl_client_cert(value),
            "ssl_key" => options.ssl_client_key(value),
            "unix_socket" => options.socket(value),
            "ssl_verify_identity" | "ssl_check_hostname" if is_on(value) => {
                mode = MySqlSslMode::VerifyIdentity;
                options
            }
            "ssl_disabled" if is_on(value) => {
                mode = MySqlSslMode::Disabled;
                options
            }
            // Text always travels as UTF-8.
            "charset" => options,
            _ => {
                tracing::warn!("[database] connection: the parameter {name} has no effect here");
                options
            }
        };
    }
    Ok(options.ssl_mode(mode))
}

/// The parameters are those of libpq.
fn postgres(rest: &str) -> Result<PgConnectOptions, BadConnection> {
    let url = Url::parse(&format!("postgresql://{rest}"))?;
    let options = PgConnectOptions::from_url(&url).map_err(|_| BadConnection::Parameter)?;
    Ok(options.application_name("tintype"))
}

fn parameters(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

impl Database {
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
            Place::MySql(to) => {
                let name = to.get_database().unwrap_or_default();
                write!(f, "mysql://{}:{}/{name}", to.get_host(), to.get_port())
            }
            Place::Postgres(to) => {
                let name = to.get_database().unwrap_or_default();
                write!(f, "postgresql://{}:{}/{name}", to.get_host(), to.get_port())
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
