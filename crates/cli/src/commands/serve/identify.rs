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
    match section.get::<String>("flavor")?.as_deref() {
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

/// The authenticator, and the routes that it brings along.
pub(super) async fn open(
    identity: Identity,
    state: &StateDir,
    base: &str,
    settings: &Settings,
) -> anyhow::Result<(Arc<dyn Authenticator>, Router)> {
    match identity {
        Identity::None => Ok((Arc::new(NoAuth::new("admin")), Router::new())),
        Identity::Keystone => Ok((ask_keystone(settings)?, Router::new())),
        Identity::BuiltIn => {
            let keystone = BuiltIn::open(state.path(), Endpoints::at(base)).await?;
            let routes = Router::new().nest_service("/identity", keystone.router());
            Ok((Arc::new(keystone), routes))
        }
    }
}

fn ask_keystone(settings: &Settings) -> anyhow::Result<Arc<dyn Authenticator>> {
    let options = keystone::Settings::from_config(&settings.config).context(
        "can't ask Keystone who calls; say in [keystone_authtoken] where it is and who we are, or \
         choose another --identity",
    )?;
    let keystone = Arc::new(Keystone::new(options)?);
    match settings.config.default_section().or("allow_anonymous_access", false)? {
        true => Ok(Arc::new(Anonymous::beside(keystone))),
        false => Ok(keystone),
    }
}

/// Where clients get tokens, up to and with `/v3`; `None` where nobody is asked.
pub(super) fn keystone_url(
    identity: Identity,
    base: &str,
    settings: &Settings,
) -> anyhow::Result<Option<String>> {
    match identity {
        Identity::None => Ok(None),
        Identity::BuiltIn => Ok(Some(Endpoints::at(base).auth_url())),
        Identity::Keystone => Ok(Some(keystone::Settings::from_config(&settings.config)?.auth_url)),
    }
}
