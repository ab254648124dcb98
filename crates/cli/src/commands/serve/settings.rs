//! What the command line and the configuration files say together; the command line wins.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use catalog::sql::{Database, Limits as Connections, LocationKey};
use config::{Config, Section};
use identity::policy;
use service::{Limits, Rules};

use super::Args;
use crate::commands::configured::config_of;
use crate::commands::registry_keys;

/// The port of the Image API.
const PORT: u16 = 9292;

/// What the service starts with.
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) listen: SocketAddr,
    /// Without a slash at its end.
    pub(super) public_endpoint: Option<String>,
    /// The catalog's database, where it is not in the state directory.
    pub(super) database: Option<Database>,
    /// Where the registry is, if one holds the catalog.
    pub(super) registry: Option<catalog::registry::Address>,
    pub(super) limits: Limits,
    pub(super) cache: Option<service::cache::Settings>,
    pub(super) rules: Rules,
    pub(super) keys: service::keys::Settings,
    pub(super) notifications: notify::Settings,
    pub(super) policy: policy::Settings,
    /// How long a client may take no byte of an answer.
    pub(super) stalled_after: Option<Duration>,
}

impl Settings {
    pub(super) fn read(args: &Args) -> anyhow::Result<Self> {
        let config = config_of(&args.config_file, &args.config_dir)?;
        let configured = !args.config_file.is_empty() || !args.config_dir.is_empty();
        let folders = config::search_folders(&args.config_file, &args.config_dir);
        let options = config.default_section();
        let configured_url: Option<String> = options.get("public_endpoint")?;
        let public_endpoint = args.public_endpoint.clone().or(configured_url);
        Ok(Self {
            listen: listen(args.listen, &options, configured)?,
            public_endpoint: public_endpoint.map(|url| url.trim_end_matches('/').to_owned()),
            database: configured_database(&config)?,
            registry: registry_keys::address(args.registry.as_deref(), &config)?,
            limits: Limits::from_config(&config)?,
            cache: service::cache::Settings::from_config(&config)?,
            keys: service::keys::Settings::from_config(&config)?,
            rules: Rules::from_config(&config, &folders)?,
            notifications: notify::Settings::from_config(&config)?,
            stalled_after: service::stalled_after(&config)?,
            // Without a configuration there is nowhere to look, and Glance's rules hold.
            policy: policy::Settings::from_config(&config, folders)?,
            config,
        })
    }

    /// The catalog's database, for a service with that state directory.
    pub(super) fn database(&self, state: &Path) -> anyhow::Result<Database> {
        chosen_database(self.database.clone(), &self.config, || Ok(state.to_owned()))
    }

    /// Whether no other service works on the catalog: a file belongs to one, a server to many.
    pub(super) fn has_own_database(&self) -> bool {
        self.registry.is_none()
            && self.database.as_ref().is_none_or(|database| database.file().is_some())
    }

    /// Names, in one warning, the options that were given and are not used here. Called once every
    /// part has read its own.
    pub(super) fn warn_of_unread(&self) {
        let unread = self.config.unread();
        if !unread.is_empty() {
            let names: Vec<_> =
                unread.iter().map(|(section, option, _)| format!("[{section}] {option}")).collect();
            tracing::warn!("options without effect here: {}", names.join(", "));
        }
    }
}

/// Without a configuration only this machine is served; with one, whom Glance would serve.
fn listen(
    chosen: Option<SocketAddr>,
    options: &Section<'_>,
    configured: bool,
) -> anyhow::Result<SocketAddr> {
    let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let default = if configured { everywhere } else { Ipv4Addr::LOCALHOST.into() };
    let host = options.or("bind_host", default.to_string())?;
    let port = options.or("bind_port", PORT)?;
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    let mut addresses = (host.as_str(), port)
        .to_socket_addrs()
        .with_context(|| format!("bind_host = {host}: no address of that name is found"))?;
    addresses.next().with_context(|| format!("bind_host = {host}: the name has no address"))
}

/// The catalog's database: the configured one, else one in the state directory.
pub(crate) fn database(
    config: &Config,
    state: impl FnOnce() -> anyhow::Result<PathBuf>,
) -> anyhow::Result<Database> {
    chosen_database(configured_database(config)?, config, state)
}

fn chosen_database(
    configured: Option<Database>,
    config: &Config,
    state: impl FnOnce() -> anyhow::Result<PathBuf>,
) -> anyhow::Result<Database> {
    let mut database = match configured {
        Some(database) => database,
        None => state()?.join("glance.db").as_path().into(),
    };
    database.location_key = location_key(config)?;
    Ok(database)
}

fn location_key(config: &Config) -> anyhow::Result<Option<LocationKey>> {
    let key: Option<String> = config.default_section().get("metadata_encryption_key")?;
    let key = key.map(|key| key.parse()).transpose();
    key.context("metadata_encryption_key can't be used")
}

/// The database that `connection` names.
fn configured_database(config: &Config) -> anyhow::Result<Option<Database>> {
    let options = config.section("database");
    let Some(connection) = options.get::<String>("connection")? else {
        // Somebody means to have one: a file of our own would not be it.
        anyhow::ensure!(
            !options.is_given("connection"),
            options
                .wrong("connection", "expected a database, as mysql+pymysql://USER:KEY@HOST/NAME")
        );
        return Ok(None);
    };
    let parameters: String = options.or("connection_parameters", String::new())?;
    let mut database = Database::of(&connection, &parameters).context("[database] connection")?;
    database.limits = limits(&options)?;
    if options.is_given("mysql_sql_mode") {
        database.sql_mode = options.get("mysql_sql_mode")?;
    }
    database.wsrep_sync_wait = options.get("mysql_wsrep_sync_wait")?;
    Ok(Some(database))
}

/// How connections are kept. Where oslo.db takes -1, or 0 for a pool's size, there is no limit.
fn limits(options: &Section<'_>) -> config::Result<Connections> {
    let seconds = |name, default: Duration| -> config::Result<_> {
        Ok(Duration::from_secs(options.or(name, default.as_secs())?))
    };
    let limit = |name, default: u32| -> config::Result<Option<u32>> {
        Ok(u32::try_from(options.or(name, i64::from(default))?).ok())
    };
    let default = Connections::default();
    let kept = limit("max_pool_size", 5)?;
    let further = limit("max_overflow", 50)?;
    Ok(Connections {
        connections: kept
            .filter(|size| *size > 0)
            .zip(further)
            .map(|(kept, further)| kept.saturating_add(further)),
        kept: kept.and_then(|kept| usize::try_from(kept).ok()).unwrap_or(default.kept),
        patience: seconds("pool_timeout", default.patience)?,
        recycle: limit("connection_recycle_time", 3600)?.map(|s| Duration::from_secs(s.into())),
        retries: limit("max_retries", 10)?,
        interval: seconds("retry_interval", default.interval)?,
        repetitions: limit("db_max_retries", 20)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(options: &str) -> Result<Option<Database>, String> {
        let mut config = Config::default();
        let text = format!("[database]\n{options}\n");
        config.add_text(&text, Path::new("glance-api.conf")).unwrap();
        configured_database(&config).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_connection_without_a_value_is_not_a_file_of_our_own() {
        let error = database("connection =").unwrap_err();
        assert!(error.contains("[database] connection: expected a database"), "{error}");
        assert!(database("").unwrap().is_none());
    }

    /// The parameter that stops a start is one of them, in whichever option it stands.
    #[test]
    fn parameters_of_a_connection_may_stand_in_an_option_of_their_own() {
        let mysql = "connection = mysql+pymysql://glance:pw@db/glance";
        for (options, stops) in [
            (mysql.to_owned(), false),
            (format!("{mysql}?charset=utf8"), false),
            (format!("{mysql}\nconnection_parameters ="), false),
            (format!("{mysql}\nconnection_parameters = charset=utf8&ssl_ca=/ca.pem"), false),
            (format!("{mysql}\nconnection_parameters = ssl_capath=/ca"), true),
            (format!("{mysql}?charset=utf8\nconnection_parameters = ssl_capath=/ca"), true),
        ] {
            let read = database(&options);
            assert_eq!(read.is_err(), stops, "{options}");
            if let Err(error) = read {
                assert!(error.contains("ssl_capath") && !error.contains("pw"), "{error}");
            }
        }
    }
}
