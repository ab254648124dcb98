//! systemd-networkd's `.network`, `.netdev` and udev's `.link` files.

use super::{Binding, Ruler};
use crate::formats::ini;
use crate::{Edit, Result, Root};

const FILES: &[&str] = &["network", "link", "netdev"];

/// What a guest without cloud-init gets in the place of its static addresses.
const DHCP: (&str, &str) =
    ("/etc/systemd/network/80-dhcp.network", "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n");

/// Settings that name one card or give an address: section, key, what it does.
const BOUND: &[(&str, &str, &str)] = &[
    ("Match", "MACAddress", "names one card, by its MAC"),
    ("Match", "PermanentMACAddress", "names one card, by its MAC"),
    ("Link", "MACAddress", "gives a card its MAC"),
    ("NetDev", "MACAddress", "gives a device its MAC"),
    ("Network", "Address", "has a static address"),
    ("Network", "Gateway", "has a gateway of its own"),
    ("Address", "Address", "has a static address"),
];

/// What fits one instance only.
pub(crate) fn bindings(root: &Root) -> Result<Vec<Binding>> {
    let mut found = Vec::new();
    for ending in FILES {
        for path in root.glob(&format!("/etc/systemd/network/*.{ending}"))? {
            let text = root.text(&path)?;
            let bound =
                BOUND.iter().find(|(section, key, _)| ini::get(&text, section, key).is_some());
            found.extend(bound.map(|(_, _, what)| Binding::new(&path, *what)));
        }
    }
    Ok(found)
}

/// Removes the files that fit one instance only. Of several that match a card the first counts, so
/// one that is left would win over cloud-init's.
pub(crate) fn release(edit: &mut Edit<'_>, ruler: Ruler) -> Result<()> {
    let bindings = bindings(edit.root)?;
    for binding in &bindings {
        edit.remove_path(&binding.path)?;
    }
    let had_network =
        bindings.iter().any(|binding| binding.path.extension().is_some_and(|end| end == "network"));
    let is_bare = edit.root.glob("/etc/systemd/network/*.network")?.is_empty();
    if ruler == Ruler::Guest && had_network && is_bare {
        edit.write(DHCP.0, DHCP.1)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_for_any_card_stays() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        let path = |name: &str| format!("/etc/systemd/network/{name}");
        root.write(path("10-old.link"), "[Match]\nMACAddress=fa:16:3e:00:00:01\n").unwrap();
        root.write(path("20-old.network"), "[Match]\nName=eth0\n[Network]\nAddress=10.0.2.77/24\n")
            .unwrap();
        root.write(path("30-any.network"), "[Match]\nName=e*\n[Network]\nDHCP=yes\n").unwrap();
        assert_eq!(bindings(&root).unwrap().len(), 2);
        release(&mut Edit::new(&root, &[]), Ruler::Guest).unwrap();
        assert_eq!(root.list("/etc/systemd/network").unwrap().len(), 1);
    }

    #[test]
    fn what_is_written_in_its_place_binds_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.write("/etc/systemd/network/a.network", "[Address]\nAddress=10.0.2.77/24\n").unwrap();
        release(&mut Edit::new(&root, &[]), Ruler::Guest).unwrap();
        assert!(root.is_file(DHCP.0).unwrap());
        assert!(bindings(&root).unwrap().is_empty());
    }
}
