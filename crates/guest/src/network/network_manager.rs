//! NetworkManager's keyfiles.

use std::path::PathBuf;

use super::{Binding, Ruler};
use crate::formats::ini;
use crate::{Edit, Result, Root};

const PROFILES: &str = "/etc/NetworkManager/system-connections/*";

/// Of cards; bridges, VPNs and the like are left alone unless they hold an address.
const CARDS: &[&str] = &["ethernet", "802-3-ethernet", "wifi", "802-11-wireless"];

/// What a guest without cloud-init gets: NetworkManager makes such a profile by itself unless it
/// is configured as on a server.
const DHCP: (&str, &str) = (
    "/etc/NetworkManager/system-connections/dhcp.nmconnection",
    "[connection]\nid=dhcp\ntype=ethernet\n\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n",
);

/// What fits one instance only.
pub(crate) fn bindings(root: &Root) -> Result<Vec<Binding>> {
    let mut found = Vec::new();
    for path in root.glob(PROFILES)? {
        let text = root.text(&path)?;
        found.extend(bound(&text).map(|what| Binding::new(&path, what)));
    }
    Ok(found)
}

/// Removes the profiles that fit one instance only.
pub(crate) fn release(edit: &mut Edit<'_>, ruler: Ruler) -> Result<()> {
    let bindings = bindings(edit.root)?;
    for binding in &bindings {
        edit.remove_path(&binding.path)?;
    }
    if ruler == Ruler::Guest && !bindings.is_empty() && card_profiles(edit.root)?.is_empty() {
        // NetworkManager ignores a profile that others can read.
        edit.write_new(DHCP.0, DHCP.1, 0o600)?;
    }
    Ok(())
}

fn card_profiles(root: &Root) -> Result<Vec<PathBuf>> {
    let mut found = root.glob(PROFILES)?;
    let mut why = Ok(());
    found.retain(|path| match root.text(path) {
        Ok(text) => is_card(&text),
        Err(error) => {
            why = Err(error);
            false
        }
    });
    why.map(|()| found)
}

fn is_card(text: &str) -> bool {
    ini::get(text, "connection", "type").is_some_and(|kind| CARDS.contains(&kind))
}

fn bound(text: &str) -> Option<&'static str> {
    let has = |section, key| ini::get(text, section, key).is_some_and(|value| !value.is_empty());
    if has("ethernet", "mac-address") || has("802-3-ethernet", "mac-address") {
        return Some("names one card, by its MAC");
    }
    if ini::get(text, "ipv4", "method") == Some("manual") {
        return Some("has a static address");
    }
    (is_card(text) && has("connection", "uuid")).then_some("is a card's profile of its own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_for_any_card_takes_the_place_of_one_cards() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        let old = "/etc/NetworkManager/system-connections/eth0.nmconnection";
        let text = "[connection]\nid=eth0\nuuid=5a\ntype=ethernet\n[ipv4]\nmethod=manual\n";
        root.write(old, text).unwrap();
        assert_eq!(bindings(&root).unwrap().len(), 1);
        release(&mut Edit::new(&root, &[]), Ruler::Guest).unwrap();
        assert!(!root.exists(old).unwrap());
        assert!(bindings(&root).unwrap().is_empty());
        assert_eq!(root.metadata(DHCP.0).unwrap().unwrap().mode, 0o600);
    }

    #[test]
    fn a_vpn_is_left_alone() {
        assert_eq!(bound("[connection]\nuuid=1\ntype=vpn\n[ipv4]\nmethod=auto\n"), None);
    }
}
