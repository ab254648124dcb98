//! `tintype serve`: the image service.

mod allocator;
mod cache;
mod identify;
mod imports;
mod log;
mod settings;
mod state;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use catalog::Records;
use catalog::sql::{Database, SqlCatalog};
use futures::FutureExt;
use futures::future::join_all;
use identity::Authenticator;
use identity::policy::Policy;
use notify::Notifier;
use service::{App, Leftovers, LocationSettings, Parts, Receiving};
use store::Stores;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::{Outcome, open_files, registry_keys, systemd};
use identify::{Asked, Identity};
pub(crate) use log::start as start_log;
use settings::Settings;
pub(crate) use settings::database;
use state::StateDir;
pub(crate) use state::default_state_dir;

/// How long a thread may take once nobody waits for it any more. One that is in a call of a store that
/// hangs ends with the process: that call may take minutes.
const THREADS_END_WITHIN: Duration = Duration::from_secs(2);

/// How long stores may take for removing what requests left that were dropped at the end.
const STORES_SETTLE_WITHIN: Duration = Duration::from_secs(10);

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

    /// Where the registry is that holds the catalog: tls://HOST:PORT, unix:///PATH, or
    /// tcp://127.0.0.1:PORT [default: [registry] url; without, a database is the catalog].
    #[arg(long, value_name = "URL")]
    registry: Option<String>,

    /// Who says who calls [default: keystone when the configuration has a Keystone or a flavor of
    /// that name, none when its flavor is another one, else built-in].
    #[arg(long, value_enum)]
    identity: Option<Identity>,

    /// What is logged: error, warn, info, debug or a `tracing` filter.
    #[arg(long, value_name = "LEVEL", env = "TINTYPE_LOG", default_value = "info")]
    log: String,

    /// Log in JSON, a line each.
    #[arg(long)]
    log_json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    allocator::return_large_blocks();
    log::start(&args.log, args.log_json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(args));
    runtime.shutdown_timeout(THREADS_END_WITHIN);
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    open_files::raise_limit();
    let settings = Settings::read(args)?;
    let identity = identify::choose(args.identity, &settings)?;
    // The port first: whoever holds it may be another service on the same state directory.
    let listener = listen(settings.listen).await?;
    let base = match &settings.public_endpoint {
        Some(url) => url.clone(),
        None => format!("http://{}", listener.local_addr()?),
    };
    // A Keystone elsewhere has the endpoint in its catalog.
    let needs_url = identity == Identity::BuiltIn && settings.public_endpoint.is_none();
    if needs_url && settings.listen.ip().is_unspecified() {
        tracing::warn!(
            "clients elsewhere can't reach {base}; name their URL with --public-endpoint"
        );
    }
    let state = StateDir::open(args.state_dir.clone())?;
    let (notifier, publisher) = Notifier::new(settings.notifications.clone());
    let asked = identify::open(identity, &state, &base, &settings).await?;
    let policy = Policy::load(settings.policy.clone()).context("can't use the policy")?;
    let _watch = policy.watch();
    let Asked { authenticator, routes, keystone_url } = asked;
    let app = assemble(&state, authenticator, notifier, policy, &settings, keystone_url).await?;
    let app = Arc::new(app);
    sweep(&app, settings.has_own_database()).await?;
    settings.warn_of_unread();

    let stop = stopped()?;
    eprintln!("tintype: serving on {base} (state in {})", state.path().display());
    systemd::tell(systemd::READY);
    let (ended, end) = oneshot::channel::<()>();
    let end = async { drop(end.await) }.boxed().shared();
    let work = tokio::spawn(service::cache::work(app.clone(), end.clone()));
    let publishing = publisher.map(|publisher| tokio::spawn(publisher.run(end)));
    let router = service::router(app.clone()).merge(routes);
    let served = service::serve(listener, router, settings.stalled_after, stop);
    // Tasks that run when the service stops are taken up again at its next start.
    let beside = async {
        tokio::join!(
            service::scrub_repeatedly(&app),
            service::tend(&app),
            service::work(app.clone()),
        )
    };
    tokio::pin!(served);
    tokio::select! {
        served = &mut served => served?,
        _ = beside => served.await?,
    }
    drop(ended);
    work.await?;
    settle(&app.stores).await;
    if let Some(publishing) = publishing {
        publishing.await?;
    }
    Ok(())
}

/// Waits until stores have removed what requests left that were dropped: what stays is for the next
/// start.
async fn settle(stores: &Stores) {
    let settled = join_all(stores.iter().map(|(_, store)| store.settled()));
    if tokio::time::timeout(STORES_SETTLE_WITHIN, settled).await.is_err() {
        tracing::warn!("what dropped requests left in a store stays for the next start");
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}; choose another address with --listen"))
}

async fn assemble(
    state: &StateDir,
    authenticator: Arc<dyn Authenticator>,
    notifier: Notifier,
    policy: Policy,
    settings: &Settings,
    keystone: Option<String>,
) -> anyhow::Result<App> {
    let catalog = records(state, settings).await?;
    let stores = Stores::from_config(&settings.config, state.path())?;
    let cache = match &settings.cache {
        Some(settings) => Some(Arc::new(cache::open(settings, catalog.clone()).await?)),
        None => None,
    };
    let worker = state.name()?;
    let imports = imports::open(
        &settings.config,
        &worker,
        keystone,
        settings.public_endpoint.clone(),
        &stores,
        catalog.clone(),
    )?;
    let parts = Parts {
        metadefs: catalog.clone(),
        receiving: Arc::new(Receiving::new(catalog.clone(), &worker)),
        leftovers: Arc::new(Leftovers::new(catalog.clone())),
        catalog,
        imports,
        authenticator,
        policy,
        limits: settings.limits.clone(),
        cache,
        rules: settings.rules.clone(),
        locations: LocationSettings::from_config(&settings.config)?,
        notifier,
        keys: service::keys::Keys::open(settings.keys.clone())
            .context("[barbican] can't be used")?,
        public_endpoint: settings.public_endpoint.clone(),
    };
    Ok(App::new(parts, stores))
}

/// The registry's catalog where there is one, else the database's.
async fn records(state: &StateDir, settings: &Settings) -> anyhow::Result<Arc<dyn Records>> {
    if let Some(registry) = &settings.registry {
        return Ok(Arc::new(registry_keys::reached(registry.clone(), &settings.config).await?));
    }
    Ok(Arc::new(open_catalog(&settings.database(state.path())?).await?))
}

pub(crate) async fn open_catalog(database: &Database) -> anyhow::Result<SqlCatalog> {
    SqlCatalog::connect(database)
        .await
        .with_context(|| format!("can't open the catalog {database}"))
}

/// In a database that a Glance may use too, an image that is `saving` may be its.
async fn sweep(app: &App, is_alone: bool) -> anyhow::Result<()> {
    let mut swept = service::Swept::default();
    service::recover(app).await.context("can't put the catalog in order")?;
    if is_alone {
        swept = service::sweep(app).await.context("can't put the catalog in order")?;
    }
    swept.files += service::sweep_temporary(app).await;
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
pub(crate) fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminated.recv() => break,
                _ = interrupted.recv() => break,
                _ = hung_up.recv() => {
                    // The terminal is gone, and with it whoever watches.
                    if std::io::stderr().is_terminal() {
                        break;
                    }
                    tracing::info!(
                        "SIGHUP changes nothing: policies count once their files change, all other \
                         options from the next start on"
                    );
                }
            }
        }
        tracing::info!("stopping");
        systemd::tell(systemd::STOPPING);
    })
}
