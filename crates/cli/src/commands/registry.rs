//! `tintype registry`: the catalog, for services that know no database.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use catalog::registry::{Registry, Way};
use config::Config;
use tokio::net::TcpListener;

use super::Outcome;
use super::configured::Configured;
use super::open_files;
use super::registry_keys::keys;
use super::serve::{open_catalog, start_log, stopped};
use super::systemd;

/// The port of Glance's own registry, while it had one.
const PORT: u16 = 9191;

/// Hold the catalog for services that are to know no database.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tintype registry --config-file registry.conf
      the database of [database] connection, for whoever knows the secret of [registry] secret_file
  tintype registry --socket /run/tintype/registry.sock
      for services of the same user on this machine

A service finds it with `tintype serve --registry tls://HOST:9191`.

Exit codes: 0 stopped by SIGTERM or Ctrl-C; 1 could not start; 2 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    configured: Configured,

    /// Address and port to listen on; port 0 takes a free one [default: [registry] bind_host and
    /// bind_port, 127.0.0.1:9191 without].
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "socket")]
    listen: Option<SocketAddr>,

    /// A socket to listen on instead, for processes of the same user.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// What is logged: error, warn, info, debug or a `tracing` filter.
    #[arg(long, value_name = "LEVEL", env = "TINTYPE_LOG", default_value = "info")]
    log: String,
}

pub(crate) fn run(args: &Args) -> Outcome {
    start_log(&args.log, false)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    open_files::raise_limit();
    let config = args.configured.config()?;
    let (way, shown) = way(args, &config).await?;
    let database = args.configured.own_database(&config)?;
    if let Some(folder) = database.file().and_then(|file| file.parent()) {
        std::fs::create_dir_all(folder)?;
    }
    let catalog = open_catalog(&database).await?;
    let stop = stopped()?;
    eprintln!("tintype: registry on {shown} (catalog in {database})");
    systemd::tell(systemd::READY);
    Registry::new(Arc::new(catalog)).serve(way, stop).await;
    Ok(())
}

async fn way(args: &Args, config: &Config) -> anyhow::Result<(Way, String)> {
    if let Some(path) = &args.socket {
        let way = Way::socket(path.clone());
        let way = way.with_context(|| format!("can't listen on {}", path.display()))?;
        return Ok((way, format!("unix://{}", path.display())));
    }
    let options = config.section("registry");
    let host = options.or("bind_host", "127.0.0.1".to_owned())?;
    let host: IpAddr = host.parse().context("[registry] bind_host is an address, as 192.0.2.7")?;
    let port = options.or("bind_port", PORT)?;
    let address = args.listen.unwrap_or(SocketAddr::new(host, port));
    let keys = keys(config)?;
    if keys.is_none() && !address.ip().is_loopback() {
        bail!(
            "whoever reaches {address} could read and change everything: name a secret with \
             [registry] secret_file, or certificates with ca_file, cert_file and key_file"
        );
    }
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("can't listen on {address}"))?;
    let address = listener.local_addr()?;
    match keys {
        Some(keys) => Ok((Way::tls(listener, &keys)?, format!("tls://{address}"))),
        None => {
            tracing::warn!(
                "every user of this machine may read and change the catalog at {address}"
            );
            Ok((Way::Plain(listener), format!("tcp://{address}")))
        }
    }
}
