//! `ifcfg-*` files: network-scripts and NetworkManager's plugin of the Red Hat family, wicked of
//! SUSE.

use std::path::{Path, PathBuf};

use super::{Binding, Ruler, is_card};
use crate::formats::assignments;
use crate::{Edit, Result, Root};

const DIRECTORIES: &[&str] = &["/etc/sysconfig/network-scripts", "/etc/sysconfig/network"];

/// Files of routes beside them: they name the old gateway.
const ROUTES: &[&str] = &["route-*", "route6-*", "rule-*", "rule6-*", "ifroute-*", "routes"];

/// Keys that name one card, one profile or one address; a number may follow.
const BOUND: &[&str] = &[
    "HWADDR",
    "MACADDR",
    "LLADDR",
    "UUID",
    "IPADDR",
    "PREFIX",
    "PREFIXLEN",
    "NETMASK",
    "NETWORK",
    "BROADCAST",
    "GATEWAY",
    "DNS",
    "DOMAIN",
    "SRCADDR",
    "HOSTNAME",
    "DHCP_HOSTNAME",
    "DHCP_CLIENT_ID",
    "IPV6ADDR",
    "IPV6ADDR_SECONDARIES",
    "IPV6_DEFAULTGW",
];

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It holds an address.
    Address,
    /// It names the old card or profile.
    Card,
    /// It is for an alias, a second card, or routes.
    Extra,
}

/// What fits one instance only, with its kind.
pub(crate) fn bindings(root: &Root) -> Result<Vec<(Fault, Binding)>> {
    let mut found = Vec::new();
    for directory in DIRECTORIES {
        let kept = kept_card(root, directory, Ruler::of(root)?)?;
        for file in files(root, directory)? {
            if file.is_alias() || (file.is_card() && kept.as_ref() != Some(&file.path)) {
                found.push((Fault::Extra, Binding::new(&file.path, "an additional interface")));
            }
            for key in assignments::all(&file.text).map(|(key, _)| key).filter(|key| is_bound(key))
            {
                let names_card = matches!(key, "HWADDR" | "MACADDR" | "LLADDR" | "UUID");
                let fault = if names_card { Fault::Card } else { Fault::Address };
                found.push((fault, Binding::new(&file.path, key)));
            }
        }
        for path in routes(root, directory)? {
            found.push((Fault::Extra, Binding::new(path, "routes of the old network")));
        }
    }
    Ok(found)
}

/// Leaves one card, on DHCP and under any MAC; aliases, further cards and routes go.
pub(crate) fn release(edit: &mut Edit<'_>, ruler: Ruler) -> Result<()> {
    for directory in DIRECTORIES {
        let kept = kept_card(edit.root, directory, ruler)?;
        for file in files(edit.root, directory)? {
            if file.is_alias() || (file.is_card() && kept.as_ref() != Some(&file.path)) {
                edit.remove_path(&file.path)?;
            } else {
                edit.write(&file.path, file.released())?;
            }
        }
        for path in routes(edit.root, directory)? {
            edit.remove_path(&path)?;
        }
    }
    Ok(())
}

/// Whether there are such files at all.
pub(crate) fn is_used(root: &Root) -> Result<bool> {
    for directory in DIRECTORIES {
        if !root.glob(&format!("{directory}/ifcfg-*"))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of the cards that files configure.
pub(crate) fn cards(root: &Root) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for directory in DIRECTORIES {
        let cards =
            files(root, directory)?.into_iter().filter(|file| !file.is_alias() && file.is_card());
        found.extend(cards.map(|file| file.name));
    }
    Ok(found)
}

struct File {
    path: PathBuf,
    name: String,
    text: String,
}

impl File {
    fn is_alias(&self) -> bool {
        self.name.contains(':')
    }

    /// An Ethernet card that stands for itself: not a bridge, a bond, or a part of one.
    fn is_card(&self) -> bool {
        let get = |key: &str| assignments::get(&self.text, key);
        let kind = get("TYPE").is_none_or(|kind| kind == "Ethernet");
        let is_part =
            ["MASTER", "BRIDGE", "SLAVE", "TEAM_MASTER"].iter().any(|key| get(key).is_some());
        kind && !is_part
            && (is_card(&self.name) || get("DEVICE").is_some_and(|name| is_card(&name)))
    }

    fn released(&self) -> String {
        let text = assignments::without(&self.text, is_bound);
        let method = assignments::get(&text, "BOOTPROTO");
        let had_address = text != self.text
            && assignments::all(&self.text).any(|(key, _)| key.starts_with("IPADDR"));
        let is_fixed = method.is_none_or(|method| matches!(method.as_str(), "static" | "none"));
        if is_fixed && (had_address || self.is_card()) {
            return assignments::set(&text, "BOOTPROTO", "dhcp");
        }
        text
    }
}

fn is_bound(key: &str) -> bool {
    let plain = key.trim_end_matches(|last: char| last.is_ascii_digit());
    let plain = plain.strip_suffix("_START").or(plain.strip_suffix("_END")).unwrap_or(plain);
    BOUND.contains(&plain) || BOUND.contains(&key)
}

/// All interfaces but the loopback, whose file is the same everywhere.
fn files(root: &Root, directory: &str) -> Result<Vec<File>> {
    let mut found = Vec::new();
    for path in root.glob(&format!("{directory}/ifcfg-*"))? {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = file_name.trim_start_matches("ifcfg-").to_owned();
        if name != "lo" && !name.ends_with('~') && root.is_file(&path)? {
            let text = root.read_text(&path)?.unwrap_or_default();
            found.push(File { path, name, text });
        }
    }
    Ok(found)
}

/// The first card's file: `ifcfg-eth0`, which cloud-init takes over. Without cloud-init a card of
/// another name will do.
fn kept_card(root: &Root, directory: &str, ruler: Ruler) -> Result<Option<PathBuf>> {
    let cards: Vec<PathBuf> = files(root, directory)?
        .into_iter()
        .filter(|file| !file.is_alias() && file.is_card())
        .map(|file| file.path)
        .collect();
    let first = Path::new(directory).join("ifcfg-eth0");
    Ok(match ruler {
        _ if cards.contains(&first) => Some(first),
        Ruler::CloudInit => None,
        Ruler::Guest => cards.into_iter().next(),
    })
}

fn routes(root: &Root, directory: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for pattern in ROUTES {
        let paths = root.glob(&format!("{directory}/{pattern}"))?;
        found.extend(paths.into_iter().filter(|path| !path.ends_with("route-lo")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPTS: &str = "/etc/sysconfig/network-scripts";

    fn guest(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for (name, text) in files {
            root.write(format!("{SCRIPTS}/{name}"), text).unwrap();
        }
        (directory, root)
    }

    #[test]
    fn one_card_is_left_and_asks_for_an_address() {
        let (_directory, root) = guest(&[
            ("ifcfg-lo", "DEVICE=lo\nIPADDR=127.0.0.1\n"),
            (
                "ifcfg-eth0",
                "TYPE=Ethernet\nBOOTPROTO=none\nDEVICE=eth0\nHWADDR=fa:16:3e:00:00:01\nIPADDR0=10.0.2.77\nDNS1=10.0.2.3\n",
            ),
            ("ifcfg-eth0:1", "DEVICE=eth0:1\nIPADDR=10.0.2.78\n"),
            ("ifcfg-eth1", "DEVICE=eth1\nBOOTPROTO=dhcp\n"),
            ("route-eth0", "10.9.0.0/16 via 10.0.2.2\n"),
        ]);
        let faults: Vec<Fault> =
            bindings(&root).unwrap().into_iter().map(|(fault, _)| fault).collect();
        assert!(
            [Fault::Address, Fault::Card, Fault::Extra].iter().all(|fault| faults.contains(fault))
        );
        release(&mut Edit::new(&root, &[]), Ruler::Guest).unwrap();
        assert_eq!(
            root.text(format!("{SCRIPTS}/ifcfg-eth0")).unwrap(),
            "TYPE=Ethernet\nBOOTPROTO=dhcp\nDEVICE=eth0\n"
        );
        assert_eq!(root.list(SCRIPTS).unwrap().len(), 2);
        assert!(bindings(&root).unwrap().is_empty());
    }

    #[test]
    fn a_bridge_keeps_its_parts() {
        let (_directory, root) = guest(&[
            ("ifcfg-br0", "TYPE=Bridge\nBOOTPROTO=static\nIPADDR=10.0.2.77\n"),
            ("ifcfg-eth0", "TYPE=Ethernet\nBRIDGE=br0\n"),
        ]);
        release(&mut Edit::new(&root, &[]), Ruler::Guest).unwrap();
        assert_eq!(
            root.text(format!("{SCRIPTS}/ifcfg-eth0")).unwrap(),
            "TYPE=Ethernet\nBRIDGE=br0\n"
        );
        assert_eq!(
            root.text(format!("{SCRIPTS}/ifcfg-br0")).unwrap(),
            "TYPE=Bridge\nBOOTPROTO=dhcp\n"
        );
    }
}
