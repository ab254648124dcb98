//! This host, as Cinder is told of it: what os-brick calls the connector's properties.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::attached::Multipath;
use super::device::Tools;

/// Where the iSCSI initiator's name is.
const INITIATOR: &str = "/etc/iscsi/initiatorname.iscsi";

/// What the attachments of images are known by.
const MOUNTPOINT: &str = "glance_store";

/// This host.
#[derive(Debug)]
pub(super) struct Host {
    name: String,
    machine: String,
    address: IpAddr,
    initiator: Option<String>,
    multipath: Multipath,
}

impl Host {
    /// What the system says of itself.
    pub(super) async fn of_system(multipath: Multipath, tools: &Tools) -> Self {
        let system = rustix::system::uname();
        let name = system.nodename().to_string_lossy().into_owned();
        Self {
            address: address(&name).await,
            machine: system.machine().to_string_lossy().into_owned(),
            initiator: initiator_file(tools).await.and_then(|text| initiator(&text)),
            name,
            multipath,
        }
    }

    pub(super) fn connector(&self) -> Value {
        let mut connector = json!({
            "platform": self.machine,
            "os_type": "linux",
            "ip": self.address,
            "host": self.name,
            "multipath": self.multipath.wanted,
            "enforce_multipath": self.multipath.enforced,
            "do_local_attach": false,
            "mountpoint": MOUNTPOINT,
        });
        if let Some(initiator) = &self.initiator {
            connector["initiator"] = json!(initiator);
        }
        connector
    }
}

/// The address that the host's name has, an IPv6 one first, as in Glance.
async fn address(name: &str) -> IpAddr {
    let found = tokio::net::lookup_host((name, 0)).await;
    let found: Vec<_> = found.map(|found| found.map(|at| at.ip()).collect()).unwrap_or_default();
    let six = found.iter().find(|address| address.is_ipv6());
    six.or(found.first()).copied().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// What names the initiator; on many systems only root may read it.
async fn initiator_file(tools: &Tools) -> Option<String> {
    match tokio::fs::read_to_string(INITIATOR).await {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let read = tools.run("cat", &[INITIATOR], "").await;
            let read = read.and_then(|ended| ended.expect(INITIATOR, &[0]));
            let told =
                |why: &String| tracing::debug!(why, "the iSCSI initiator's name is not known");
            read.inspect_err(told).ok().map(|ended| ended.stdout)
        }
        read => read.ok(),
    }
}

fn initiator(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.trim().strip_prefix("InitiatorName="))?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initiator_has_a_name() {
        let text = "## DO NOT EDIT\n#InitiatorName=x\nInitiatorName=iqn.1993-08.org.debian:01:a\n";
        assert_eq!(initiator(text).as_deref(), Some("iqn.1993-08.org.debian:01:a"));
        assert_eq!(initiator("GenerateName=yes\n"), None);
    }

    #[tokio::test]
    async fn the_host_says_who_it_is() {
        let multipath = Multipath { wanted: true, enforced: false };
        let connector = Host::of_system(multipath, &Tools::of_system()).await.connector();
        assert!(connector["host"].as_str().is_some_and(|host| !host.is_empty()));
        assert!(connector["ip"].as_str().is_some_and(|ip| ip.parse::<IpAddr>().is_ok()));
        assert_eq!(connector["multipath"], true);
    }
}
