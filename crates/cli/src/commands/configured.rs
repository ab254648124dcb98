//! What the commands that work beside a running service are given: the same configuration and the
//! same state directory, which they don't lock.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use catalog::Records;
use catalog::sql::{Database, SqlCatalog};
use config::Config;

use super::{registry_keys, serve};

/// Where the service's configuration and state are.
#[derive(clap::Args)]
pub(crate) struct Configured {
    /// A configuration file in the format of glance-api.conf; of several, the later one wins.
    #[arg(long, value_name = "FILE")]
    config_file: Vec<PathBuf>,

    /// A folder whose *.conf files are read after the configuration files.
    #[arg(long, value_name = "DIR")]
    config_dir: Vec<PathBuf>,

    /// Where the service keeps its state
    /// [default: $XDG_STATE_HOME/tintype, ~/.local/state/tintype].
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// What a Glance with these files and folders would read: also what lies beside them, and the
/// environment.
pub(crate) fn config_of(files: &[PathBuf], folders: &[PathBuf]) -> config::Result<Config> {
    let (files, folders) = config::with_companions(files, folders);
    Ok(Config::read(&files, &folders)?.with_environment())
}

impl Configured {
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Ok(config_of(&self.config_file, &self.config_dir)?)
    }

    pub(crate) fn state_dir(&self) -> anyhow::Result<PathBuf> {
        self.state_dir.clone().map_or_else(serve::default_state_dir, Ok)
    }

    /// The catalog's database, which is known where no registry holds the catalog.
    pub(crate) fn database(&self, config: &Config) -> anyhow::Result<Database> {
        let connection: Option<String> = config.section("database").get("connection")?;
        if connection.is_none()
            && let Some(registry) = registry_keys::address(None, config)?
        {
            anyhow::bail!(
                "the registry {registry} holds the catalog; run this where it runs, with its \
                 configuration"
            );
        }
        self.own_database(config)
    }

    /// The catalog's database, of whoever holds the catalog.
    pub(crate) fn own_database(&self, config: &Config) -> anyhow::Result<Database> {
        serve::database(config, || self.state_dir())
    }

    /// The catalog, which has to be there.
    pub(crate) async fn catalog(&self, config: &Config) -> anyhow::Result<SqlCatalog> {
        let database = self.database(config)?;
        anyhow::ensure!(
            database.file().is_none_or(|file| file.exists()),
            "there is no database {database}; name the service's with --state-dir or --config-file, or \
             make one with `tintype db sync`"
        );
        serve::open_catalog(&database).await
    }

    /// The catalog, which a registry may hold.
    pub(crate) async fn records(&self, config: &Config) -> anyhow::Result<Arc<dyn Records>> {
        match registry_keys::address(None, config)? {
            Some(registry) => Ok(Arc::new(registry_keys::reached(registry, config).await?)),
            None => Ok(Arc::new(self.catalog(config).await?)),
        }
    }
}

/// Runs what waits for a database or a store.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("no runtime can be started")?.block_on(work)
}
