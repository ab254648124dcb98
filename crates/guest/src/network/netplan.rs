//! Ubuntu's netplan.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Binding, Ruler};
use crate::formats::yaml;
use crate::{Edit, Result, Root};

/// cloud-init writes it anew for each instance.
const GENERATED: &str = "/etc/netplan/50-cloud-init.yaml";

/// What a guest without cloud-init gets in the place of its static addresses.
const DHCP: (&str, &str) = (
    "/etc/netplan/01-dhcp.yaml",
    "network:\n  version: 2\n  ethernets:\n    cards:\n      match: {name: \"e*\"}\n      dhcp4: true\n",
);

/// What fits one instance only.
pub(crate) fn bindings(root: &Root) -> Result<Vec<Binding>> {
    let mut found = Vec::new();
    for path in files(root)? {
        let text = root.text(&path)?;
        match yaml::parse(&text) {
            _ if path == Path::new(GENERATED) => {
                found.push(Binding::new(&path, "written for the old instance"));
            }
            Ok(value) => {
                found.extend(bound(&value["network"]).map(|what| Binding::new(&path, what)));
            }
            // Netplan would refuse it, too; nobody can say what it means.
            Err(why) => found.push(Binding::new(&path, why)),
        }
    }
    Ok(found)
}

/// Removes the files that fit one instance only. Netplan merges them with cloud-init's: an address
/// left in one is added to the card's.
pub(crate) fn release(edit: &mut Edit<'_>, ruler: Ruler) -> Result<()> {
    let bindings = bindings(edit.root)?;
    for binding in &bindings {
        edit.remove_path(&binding.path)?;
    }
    let is_bare = files(edit.root)?.is_empty();
    if ruler == Ruler::Guest && is_bare && !bindings.is_empty() {
        // As netplan wants it since 0.107: nobody but root reads it.
        edit.write_new(DHCP.0, DHCP.1, 0o600)?;
    }
    Ok(())
}

fn files(root: &Root) -> Result<Vec<PathBuf>> {
    let mut found = root.glob("/etc/netplan/*.yaml")?;
    found.extend(root.glob("/etc/netplan/*.yml")?);
    Ok(found)
}

/// Looks for a card's MAC and for addresses of its own, in each kind of device.
fn bound(network: &Value) -> Option<String> {
    let kinds = network.as_object()?;
    for devices in kinds.values().filter_map(Value::as_object) {
        for (name, device) in devices {
            if !device["match"]["macaddress"].is_null() || !device["macaddress"].is_null() {
                return Some(format!("{name} is one card, by its MAC"));
            }
            if device["addresses"].as_array().is_some_and(|addresses| !addresses.is_empty()) {
                return Some(format!("{name} has a static address"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(text: &str) -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.write("/etc/netplan/00-installer-config.yaml", text).unwrap();
        (directory, root)
    }

    #[test]
    fn a_server_of_names_is_not_an_address_of_the_card() {
        for (text, is_bound) in [
            ("network: {version: 2, ethernets: {ens3: {dhcp4: true}}}", false),
            (
                "network: {ethernets: {ens3: {dhcp4: true, nameservers: {addresses: [10.0.2.3]}}}}",
                false,
            ),
            ("network: {ethernets: {ens3: {addresses: [10.0.2.77/24]}}}", true),
            ("network: {ethernets: {ens3: {match: {macaddress: 'fa:16:3e:00:00:01'}}}}", true),
            ("network: [", true),
        ] {
            let (_directory, root) = guest(text);
            assert_eq!(!bindings(&root).unwrap().is_empty(), is_bound, "{text}");
        }
    }

    #[test]
    fn without_cloud_init_each_card_asks_for_an_address() {
        let (_directory, root) = guest("network: {ethernets: {ens3: {addresses: [10.0.2.77/24]}}}");
        release(&mut Edit::new(&root, &[]), Ruler::Guest).unwrap();
        assert!(bindings(&root).unwrap().is_empty());
        assert_eq!(files(&root).unwrap(), [Path::new(DHCP.0)]);
        yaml::parse(DHCP.1).unwrap();
    }
}
