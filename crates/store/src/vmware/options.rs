//! The options of a store in datastores, as glance_store's `vmware` driver has them.

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use client::Secret;
use client::cloud::Trust;

use super::VmwareStore;
use super::inventory::Weighted;
use super::location::Datastore;
use super::server::Server;
use crate::kind::{Kind, Options};
use crate::remote::Writers;
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "vmware", open };

/// glance_store's defaults.
const DIRECTORY: &str = "/openstack_glance";
const RETRIES: u32 = 10;
const TASK_POLL: u32 = 5;

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let host = host(options)?;
    Ok(Arc::new(VmwareStore {
        server: Arc::new(server(options, &host)?),
        host,
        directory: directory(options)?,
        datastores: datastores(options)?,
        writers: Writers::default(),
    }))
}

fn server(options: &Options<'_>, host: &str) -> Result<Server, SettingsError> {
    let user = required(options, "vmware_server_username")?;
    let password = Secret::new(required(options, "vmware_server_password")?);
    let retries = positive(options, "vmware_api_retry_count", RETRIES)?;
    let task_poll = positive(options, "vmware_task_poll_interval", TASK_POLL)?;
    Ok(Server::new(
        options.section(),
        options.http(&trust(options)?)?,
        format!("https://{host}"),
        (user, password),
        (retries.saturating_add(1), Duration::from_secs(task_poll.into())),
    ))
}

/// A name or address; an IPv6 address gets the brackets that it has in locations.
fn host(options: &Options<'_>) -> Result<String, SettingsError> {
    let host = required(options, "vmware_server_host")?;
    if host.parse::<Ipv6Addr>().is_ok() {
        return Ok(format!("[{host}]"));
    }
    let url = format!("https://{host}/").parse::<reqwest::Url>();
    let alone = url.is_ok_and(|url| url.path() == "/" && url.username().is_empty());
    match alone && !host.contains(['/', '?', '#', '@', ' ']) {
        true => Ok(host),
        false => {
            let expected = "expected a host name or address, with a port where it is not 443";
            Err(options.wrong("vmware_server_host", expected).into())
        }
    }
}

fn directory(options: &Options<'_>) -> Result<String, SettingsError> {
    let given: String = options.or("vmware_store_image_dir", DIRECTORY.to_owned())?;
    let directory = given.trim_matches('/');
    let sound = |part: &str| !part.is_empty() && part != "." && part != "..";
    match directory.is_empty() || directory.split('/').all(sound) {
        true => Ok(directory.to_owned()),
        false => {
            let expected = "expected the path of a directory in the datastores";
            Err(options.wrong("vmware_store_image_dir", expected).into())
        }
    }
}

fn datastores(options: &Options<'_>) -> Result<Vec<Weighted>, SettingsError> {
    const OPTION: &str = "vmware_datastores";
    let given: Vec<String> = options.all(OPTION)?;
    let read = |text: &String| {
        let expected = "expected DATACENTER_PATH:DATASTORE, or DATACENTER_PATH:DATASTORE:WEIGHT";
        datastore(text).ok_or_else(|| options.wrong(OPTION, expected).into())
    };
    match given.is_empty() {
        true => {
            Err(options.wrong(OPTION, "expected a value: a store of kind vmware needs it").into())
        }
        false => given.iter().map(read).collect(),
    }
}

fn datastore(text: &str) -> Option<Weighted> {
    let mut parts: Vec<_> = text.rsplitn(3, ':').map(str::trim).collect();
    parts.reverse();
    let (path, name, weight) = match *parts.as_slice() {
        [path, name] | [path, name, ""] => (path, name, 0),
        [path, name, weight] => (path, name, weight.parse().ok()?),
        _ => return None,
    };
    let datastore = Datastore { datacenter: Some(path.to_owned()), name: name.to_owned() };
    (!path.is_empty() && !name.is_empty()).then_some(Weighted { datastore, weight })
}

/// As in Glance: where there is a file of authorities, certificates are looked at.
fn trust(options: &Options<'_>) -> Result<Trust, SettingsError> {
    let file: Option<PathBuf> = options.get("vmware_ca_file")?;
    let authorities = file.filter(|path| !path.as_os_str().is_empty());
    let formerly = options.or("vmware_api_insecure", false)?;
    let insecure = options.or("vmware_insecure", formerly)?;
    Ok(Trust { anyone: insecure && authorities.is_none(), authorities })
}

fn positive(options: &Options<'_>, name: &str, default: u32) -> Result<u32, SettingsError> {
    match options.or(name, default)? {
        0 => Err(options.wrong(name, "expected at least 1").into()),
        number => Ok(number),
    }
}

fn required(options: &Options<'_>, name: &str) -> Result<String, SettingsError> {
    let given: Option<String> = options.get(name)?;
    let given = given.filter(|text| !text.is_empty());
    let expected = "expected a value: a store of kind vmware needs it";
    Ok(given.ok_or_else(|| options.wrong(name, expected))?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::Config;

    use super::*;

    /// What comes of it: `tasks_are_looked_at_as_often_as_options_say`.
    #[test]
    fn the_longest_pause_between_looks_at_a_task_is_in_seconds() {
        let read = |more: &str| {
            let mut config = Config::default();
            let login = "vmware_server_username = u\nvmware_server_password = p";
            config.add_text(&format!("[v]\n{login}\n{more}\n"), Path::new("g.conf")).unwrap();
            let server = server(&Options::new(&config, "v", Path::new("/")), "vcenter");
            server.map(|server| server.task_poll.as_secs()).map_err(|error| error.to_string())
        };
        assert_eq!(read(""), Ok(5));
        assert_eq!(read("vmware_task_poll_interval = 2"), Ok(2));
        for wrong in ["0", "-1", "soon"] {
            let error = read(&format!("vmware_task_poll_interval = {wrong}")).unwrap_err();
            assert!(error.contains("vmware_task_poll_interval"), "{error}");
        }
    }

    #[test]
    fn datastores_are_read_as_glance_reads_them() {
        let read = |text| {
            let Weighted { datastore, weight } = datastore(text)?;
            Some((datastore.datacenter?, datastore.name, weight))
        };
        let some =
            |path: &str, name: &str, weight| Some((path.to_owned(), name.to_owned(), weight));
        assert_eq!(read("dc:ds"), some("dc", "ds", 0));
        assert_eq!(read("/Folder/dc : ds : 20"), some("/Folder/dc", "ds", 20));
        assert_eq!(read("a:b:ds:"), some("a:b", "ds", 0));
        for text in ["", "ds", "dc:", ":ds", "dc:ds:heavy", "dc:ds:-1", ":ds:1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
