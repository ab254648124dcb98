//! Who says who calls: what the command line and `[paste_deploy] flavor` choose.

use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Router;
use clap::ValueEnum;
use identity::builtin::{BuiltIn, Endpoints};
use identity::keystone::{self, Keystone};
use identity::{Anonymous, Authenticator, NoAuth};

use super::settings::Settings;
use super::state::StateDir;

/// The ways to know who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Identity {
    /// A Keystone, as [keystone_authtoken] of the configuration has it.
    Keystone,
    /// A small Keystone of its own, at /identity.
    BuiltIn,
    /// Nobody is asked, everybody is an administrator: for benchmarks, and behind a gate of one's
    /// own.
    None,
}

/// The command line's choice, else the configuration's. Glance asks nobody where its configuration
/// has no flavor; here that opens no door: a Keystone that is configured is asked, else the one of
/// our own.
pub(super) fn choose(chosen: Option<Identity>, settings: &Settings) -> anyhow::Result<Identity> {
    if let Some(chosen) = chosen {
        if chosen == Identity::None && !settings.listen.ip().is_loopback() {
            tracing::warn!("everybody who reaches {} may do anything", settings.listen);
        }
        return Ok(chosen);
    }
    let section = settings.config.section("paste_deploy");
    // One without a value says that nobody is to be asked.
    let flavor = section.get("flavor")?.or_else(|| section.is_given("flavor").then(String::new));
    match flavor.as_deref() {
        None if keystone::Settings::are_given(&settings.config)? => Ok(Identity::Keystone),
        None => Ok(Identity::BuiltIn),
        Some(flavor) if flavor.split('+').any(|part| part == "keystone") => Ok(Identity::Keystone),
        Some(flavor) => {
            if !settings.listen.ip().is_loopback() {
                bail!(
                    "[paste_deploy] flavor = {flavor} would let everybody who reaches {} do \
                     anything; set flavor = keystone, listen on 127.0.0.1, or say --identity none \
                     if that is what you want",
                    settings.listen
                );
            }
            Ok(Identity::None)
        }
    }
}

/// Who is asked, and what comes along with that.
pub(super) struct Asked {
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) routes: Router,
    /// Where clients get tokens, up to and with `/v3`; `None` where nobody is asked.
    pub(super) keystone_url: Option<String>,
}

/// Makes it ready to be asked.
pub(super) async fn open(
    identity: Identity,
    state: &StateDir,
    base: &str,
    settings: &Settings,
) -> anyhow::Result<Asked> {
    match identity {
        Identity::None => Ok(Asked {
            authenticator: Arc::new(NoAuth::new("admin")),
            routes: Router::new(),
            keystone_url: None,
        }),
        Identity::Keystone => ask_keystone(settings),
        Identity::BuiltIn => {
            let endpoints = Endpoints::at(base);
            let keystone_url = Some(endpoints.auth_url());
            let keystone = BuiltIn::open(state.path(), endpoints).await?;
            let routes = Router::new().nest_service("/identity", keystone.router());
            Ok(Asked { authenticator: Arc::new(keystone), routes, keystone_url })
        }
    }
}

fn ask_keystone(settings: &Settings) -> anyhow::Result<Asked> {
    let options = keystone::Settings::from_config(&settings.config).context(
        "can't ask Keystone who calls; say in [keystone_authtoken] where it is and who we are, or \
         choose another --identity",
    )?;
    let keystone_url = Some(options.auth_url.clone());
    let keystone = Arc::new(Keystone::new(options)?);
    let is_open = settings.config.default_section().or("allow_anonymous_access", false)?;
    let authenticator: Arc<dyn Authenticator> =
        if is_open { Arc::new(Anonymous::beside(keystone)) } else { keystone };
    Ok(Asked { authenticator, routes: Router::new(), keystone_url })
}
