//! `[registry]`: where the registry is, and how both sides prove who they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use catalog::registry::{Address, Allowed, Client, Keys};
use config::Config;

/// For how long a start waits for the registry.
const PATIENCE: Duration = Duration::from_secs(100);

/// The keys that the configuration names.
pub(crate) fn keys(config: &Config) -> anyhow::Result<Option<Keys>> {
    let options = config.section("registry");
    let file = |name| -> anyhow::Result<Option<PathBuf>> { Ok(options.get(name)?) };
    let secret = file("secret_file")?;
    let certificates = (file("ca_file")?, file("cert_file")?, file("key_file")?);
    let clients = Allowed {
        common_names: options.or("client_cert_allowed_cn", Vec::new())?,
        hostnames: options.or("client_cert_allowed_hostname", Vec::new())?,
    };
    match (secret, certificates) {
        (None, (Some(ca), Some(certificate), Some(key))) => {
            warn_if_public("key_file", &key);
            Ok(Some(Keys::Certificates { ca, certificate, key, clients }))
        }
        _ if !clients.is_everybody() => {
            bail!("[registry] client_cert_allowed_… needs ca_file, cert_file and key_file")
        }
        (None, (None, None, None)) => Ok(None),
        (Some(file), (None, None, None)) => {
            warn_if_public("secret_file", &file);
            let text = fs::read_to_string(&file);
            let text =
                text.with_context(|| format!("[registry] secret_file {}", file.display()))?;
            Ok(Some(Keys::secret(&text)?))
        }
        _ => bail!("[registry] takes either secret_file, or ca_file, cert_file and key_file"),
    }
}

fn warn_if_public(option: &str, file: &Path) {
    // A file that can't be looked at can't be read either, which is told.
    let mode = fs::metadata(file).map_or(0, |found| found.permissions().mode());
    if mode & 0o007 != 0 {
        tracing::warn!(
            "every user of this machine may read or change [registry] {option} {}; `chmod o=` it",
            file.display()
        );
    }
}

/// Where the registry is, if there is to be one; the command line wins.
pub(crate) fn address(chosen: Option<&str>, config: &Config) -> anyhow::Result<Option<Address>> {
    let configured: Option<String> = config.section("registry").get("url")?;
    let url = chosen.map(str::to_owned).or(configured);
    Ok(url.map(|url| url.parse()).transpose()?)
}

/// The catalog of a registry, which is waited for.
pub(crate) async fn reached(address: Address, config: &Config) -> anyhow::Result<Client> {
    let keys = keys(config)?;
    if matches!(address, Address::Tls(..)) && keys.is_none() {
        bail!(
            "{address} asks for proof: name a secret with [registry] secret_file, or certificates \
             with ca_file, cert_file and key_file"
        );
    }
    if matches!(address, Address::Plain(..)) && keys.is_some() {
        bail!("nothing is proven at {address}: with a secret or certificates it is tls://");
    }
    let client = Client::new(address.clone(), keys.as_ref())?;
    let reached = client.reached(PATIENCE).await;
    reached.with_context(|| format!("can't use the registry {address}"))?;
    Ok(client)
}
