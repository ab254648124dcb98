//! `tintype serve`: the image service.

mod allocator;
mod cache;
mod imports;
mod log;
mod settings;
mod state;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Router;
use catalog::sql::SqlCatalog;
use clap::ValueEnum;
use futures::FutureExt;
use identity::builtin::{BuiltIn, Endpoints};
use identity::policy::Policy;
use identity::{Authenticator, NoAuth};
use notify::Notifier;
use service::{App, Background, LocationSettings};
use store::Stores;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::Outcome;
pub(crate) use log::start as start_log;
use settings::Settings;
pub(crate) use settings::configured_database;
use state::StateDir;
pub(crate) use state::default_state_dir;

/// Serve images over the Image API v2.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tintype serve
      SQLite, a directory and a built-in identity, at http://127.0.0.1:9292
  tintype serve --state-dir /srv/tintype --listen 192.0.2.7:9292
      the same, elsewhere
  tintype serve --config-file /etc/glance/glance-api.conf
      what a Glance with this configuration would serve

The first start makes an administrator and writes its credentials to
STATE_DIR/clouds.yaml (mode 0600):
  OS_CLIENT_CONFIG_FILE=~/.local/state/tintype/clouds.yaml \\
      openstack --os-cloud tintype image list

Exit codes: 0 stopped by SIGTERM or Ctrl-C; 1 could not start; 2 wrong usage.")]
pub(crate) struct Args {
    /// A configuration file in the format of glance-api.conf; of several, the later one wins.
    #[arg(long, value_name = "FILE")]
    config_file: Vec<PathBuf>,

    /// A folder whose *.conf files are read after the configuration files.
    #[arg(long, value_name = "DIR")]
    config_dir: Vec<PathBuf>,

    /// Address and port to listen on; port 0 takes a free one [default: bind_host and bind_port of
    /// the configuration, 127.0.0.1:9292 without one].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Where the database, the images and the credentials are kept
    /// [default: $XDG_STATE_HOME/tintype, ~/.local/state/tintype].
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// The URL under which clients reach this service, where it is not the address it listens on.
    #[arg(long, value_name = "URL")]
    public_endpoint: Option<String>,

    /// Who calls.
    #[arg(long, value_enum, default_value_t = Identity::BuiltIn)]
    identity: Identity,

    /// What is logged: error, warn, info, debug or a `tracing` filter.
    #[arg(long, value_name = "LEVEL", env = "TINTYPE_LOG", default_value = "info")]
    log: String,

    /// Log in JSON, a line each.
    #[arg(long)]
    log_json: bool,
}

/// The ways to know who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Identity {
    /// A small Keystone of its own, at /identity.
    BuiltIn,
    /// Nobody is asked, everybody is an administrator: for benchmarks, and behind a gate of one's
    /// own. Refused on addresses that others can reach.
    None,
}

pub(crate) fn run(args: &Args) -> Outcome {
    allocator::return_large_blocks();
    log::start(&args.log, args.log_json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    let settings = Settings::read(args)?;
    if args.identity == Identity::None && !settings.listen.ip().is_loopback() {
        bail!(
            "--identity none would let everybody who reaches {} do anything; listen on 127.0.0.1",
            settings.listen
        );
    }
    // The port first: whoever holds it may be another service on the same state directory.
    let listener = listen(settings.listen).await?;
    let base = match &settings.public_endpoint {
        Some(url) => url.clone(),
        None => format!("http://{}", listener.local_addr()?),
    };
    if settings.public_endpoint.is_none() && settings.listen.ip().is_unspecified() {
        tracing::warn!(
            "clients elsewhere can't reach {base}; name their URL with --public-endpoint"
        );
    }
    let state = StateDir::open(args.state_dir.clone())?;
    let (authenticator, identity) = identify(args.identity, &state, &base).await?;
    let keystone = (args.identity == Identity::BuiltIn).then(|| Endpoints::at(&base).auth_url());
    let (notifier, publisher) = Notifier::new(settings.notifications.clone());
    let app = Arc::new(assemble(&state, authenticator, notifier, &settings, keystone).await?);
    sweep(&app).await?;
    settings.warn_of_unread();

    let stop = stopped()?;
    eprintln!("tintype: serving on {base} (state in {})", state.path().display());
    let (ended, end) = oneshot::channel::<()>();
    let end = async { drop(end.await) }.boxed().shared();
    let work = tokio::spawn(service::cache::work(app.clone(), end.clone()));
    let publishing = publisher.map(|publisher| tokio::spawn(publisher.run(end)));
    let served = service::serve(listener, service::router(app.clone()).merge(identity), stop);
    // Tasks that run when the service stops are taken up again at its next start.
    let beside =
        async { tokio::join!(service::scrub_repeatedly(&app), service::work(app.clone())) };
    tokio::pin!(served);
    tokio::select! {
        served = &mut served => served?,
        _ = beside => served.await?,
    }
    drop(ended);
    work.await?;
    if let Some(publishing) = publishing {
        publishing.await?;
    }
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}; choose another address with --listen"))
}

/// The authenticator, and the routes that it brings along.
async fn identify(
    kind: Identity,
    state: &StateDir,
    base: &str,
) -> anyhow::Result<(Arc<dyn Authenticator>, Router)> {
    match kind {
        Identity::None => Ok((Arc::new(NoAuth::new("admin")), Router::new())),
        Identity::BuiltIn => {
            let keystone = BuiltIn::open(state.path(), Endpoints::at(base)).await?;
            let routes = Router::new().nest_service("/identity", keystone.router());
            Ok((Arc::new(keystone), routes))
        }
    }
}

async fn assemble(
    state: &StateDir,
    authenticator: Arc<dyn Authenticator>,
    notifier: Notifier,
    settings: &Settings,
    keystone: Option<String>,
) -> anyhow::Result<App> {
    let in_state = || state.path().join("glance.db");
    let catalog = open_catalog(&settings.database.clone().unwrap_or_else(in_state)).await?;
    let stores = Stores::from_config(&settings.config, state.path())?;
    let cache = match &settings.cache {
        Some(settings) => Some(Arc::new(cache::open(settings, &catalog).await?)),
        None => None,
    };
    let imports =
        imports::open(&settings.config, state.path(), keystone, &stores, catalog.clone())?;
    Ok(App {
        metadefs: Arc::new(catalog.clone()),
        catalog: Arc::new(catalog),
        imports,
        stores,
        authenticator,
        policy: Policy::default(),
        limits: settings.limits.clone(),
        cache,
        rules: settings.rules.clone(),
        locations: LocationSettings::from_config(&settings.config)?,
        background: Background::default(),
        notifier,
        keys: service::keys::Keys::open(settings.keys.clone())
            .context("[barbican] can't be used")?,
        public_endpoint: settings.public_endpoint.clone(),
    })
}

pub(crate) async fn open_catalog(database: &Path) -> anyhow::Result<SqlCatalog> {
    SqlCatalog::open(database)
        .await
        .with_context(|| format!("can't open the catalog {}", database.display()))
}

async fn sweep(app: &App) -> anyhow::Result<()> {
    let mut swept = service::sweep(app).await.context("can't put the catalog in order")?;
    swept.files += service::sweep_staging(app).await.context("can't put the catalog in order")?;
    if swept != Default::default() {
        tracing::warn!(
            uploads = swept.uploads,
            files = swept.files,
            "ended what an earlier run left half-done"
        );
    }
    Ok(())
}

/// Resolves when the service is told to stop.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        tracing::info!("stopping");
    })
}
