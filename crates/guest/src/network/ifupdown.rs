//! Debian's `/etc/network/interfaces`, and the files that it includes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Binding, Ruler, is_card};
use crate::formats::interfaces::{self, Interface, Meaning, Piece};
use crate::{Edit, Result, Root};

const MAIN: &str = "/etc/network/interfaces";

/// cloud-init writes its stanzas into a file there.
const DROP_INS: &str = "/etc/network/interfaces.d/*";

const LOOPBACK: &str = "auto lo\niface lo inet loopback\n";

/// How often files include files.
const NESTING: usize = 8;

/// Options that name one card or set its address.
const CARD_OPTIONS: &[&str] = &["hwaddress", "hwaddress-ether"];

/// What fits one instance only, in all files.
pub(crate) fn bindings(root: &Root) -> Result<Vec<Binding>> {
    let ruler = Ruler::of(root)?;
    let mut found = Vec::new();
    for (path, pieces) in files(root)? {
        for interface in pieces.iter().filter_map(Piece::interface) {
            if let Some(what) = bound(interface, ruler) {
                found.push(Binding::new(&path, what));
            }
        }
    }
    Ok(found)
}

/// Removes the stanzas that fit one instance only. Under cloud-init the loopback and the inclusion
/// of its file are made sure of; without it, cards that lose their address get DHCP.
pub(crate) fn release(edit: &mut Edit<'_>, ruler: Ruler) -> Result<()> {
    let files = files(edit.root)?;
    if files.is_empty() {
        return Ok(());
    }
    let plan = Plan::new(&files, ruler);
    for (path, pieces) in files {
        let mut text = plan.rewritten(&pieces, ruler);
        if path == Path::new(MAIN) {
            if ruler == Ruler::CloudInit {
                text = with_ground(&text);
            }
            edit.write(&path, text)?;
        } else if interfaces::is_void(&text) && !interfaces::is_void(&interfaces::join(&pieces)) {
            edit.remove_path(&path)?;
        } else {
            edit.write(&path, text)?;
        }
    }
    Ok(())
}

impl Piece {
    fn interface(&self) -> Option<&Interface> {
        match &self.meaning {
            Meaning::Interface(interface) => Some(interface),
            _ => None,
        }
    }
}

/// Why a stanza fits one instance only, if it does.
fn bound(interface: &Interface, ruler: Ruler) -> Option<String> {
    let Interface { name, family, method, options } = interface;
    if name == "lo" || name.starts_with("lo:") || name.starts_with("dummy") {
        return None;
    }
    if method == "static" {
        return Some(format!("{name} has a static {family} address"));
    }
    if let Some(option) = options.iter().find(|option| CARD_OPTIONS.contains(&option.as_str())) {
        return Some(format!("{name} has a {option}"));
    }
    // cloud-init writes a stanza of its own for each card: a second one starts a second DHCP
    // client, or waits for a card that is not there.
    let is_twin = ruler == Ruler::CloudInit && is_card(name) && method != "manual";
    is_twin.then(|| format!("{name} is set up here ({method}) and by cloud-init"))
}

/// The files that ifupdown reads, cut into pieces.
fn files(root: &Root) -> Result<BTreeMap<PathBuf, Vec<Piece>>> {
    let mut found = BTreeMap::new();
    read(root, Path::new(MAIN), NESTING, &mut found)?;
    // Read even if it is not included now: it will be.
    for path in root.glob(DROP_INS)? {
        read(root, &path, NESTING, &mut found)?;
    }
    Ok(found)
}

fn read(
    root: &Root,
    path: &Path,
    depth: usize,
    found: &mut BTreeMap<PathBuf, Vec<Piece>>,
) -> Result<()> {
    let (Some(depth), false) = (depth.checked_sub(1), found.contains_key(path)) else {
        return Ok(());
    };
    if !root.is_file(path)? {
        return Ok(());
    }
    let pieces = interfaces::parse(&root.read_text(path)?.unwrap_or_default());
    let sources: Vec<String> = pieces.iter().filter_map(Piece::source).collect();
    found.insert(path.to_owned(), pieces);
    for source in sources {
        for path in root.glob(&source)? {
            if root.is_directory(&path)? {
                for entry in root.list(&path)? {
                    read(root, &entry.path, depth, found)?;
                }
            } else {
                read(root, &path, depth, found)?;
            }
        }
    }
    Ok(())
}

impl Piece {
    /// A pattern from the root; ifupdown takes relative ones from its own directory.
    fn source(&self) -> Option<String> {
        match &self.meaning {
            Meaning::Source(pattern) if pattern.starts_with('/') => Some(pattern.clone()),
            Meaning::Source(pattern) => Some(format!("/etc/network/{pattern}")),
            _ => None,
        }
    }
}

/// Which interfaces are left, and which need DHCP.
struct Plan {
    left: BTreeSet<String>,
    gone: BTreeSet<String>,
    to_dhcp: BTreeSet<String>,
}

impl Plan {
    fn new(files: &BTreeMap<PathBuf, Vec<Piece>>, ruler: Ruler) -> Plan {
        let all = || files.values().flatten().filter_map(Piece::interface);
        let stays = |interface: &&Interface| bound(interface, ruler).is_none();
        let names = |interface: &Interface| interface.name.clone();
        let left: BTreeSet<String> = all().filter(stays).map(names).collect();
        let gone: BTreeSet<String> = all().map(names).filter(|name| !left.contains(name)).collect();
        let with_inet: BTreeSet<String> =
            all().filter(stays).filter(|found| found.family == "inet").map(names).collect();
        let needs_dhcp = |found: &&Interface| {
            ruler == Ruler::Guest && !found.name.contains(':') && !with_inet.contains(&found.name)
        };
        let bound_ones = all().filter(|interface| bound(interface, ruler).is_some());
        Plan { left, gone, to_dhcp: bound_ones.filter(needs_dhcp).map(names).collect() }
    }

    fn rewritten(&self, pieces: &[Piece], ruler: Ruler) -> String {
        let mut done = BTreeSet::new();
        pieces
            .iter()
            .map(|piece| match &piece.meaning {
                Meaning::Interface(interface) if bound(interface, ruler).is_some() => {
                    let name = &interface.name;
                    let is_first = self.to_dhcp.contains(name) && done.insert(name.clone());
                    if is_first { format!("iface {name} inet dhcp\n") } else { String::new() }
                }
                Meaning::Up(names) => self.brought_up(piece, names, ruler),
                _ => piece.text.clone(),
            })
            .collect()
    }

    /// An `auto` line without the interfaces that are gone.
    fn brought_up(&self, piece: &Piece, names: &[String], ruler: Ruler) -> String {
        let is_gone = |name: &String| {
            let orphan = ruler == Ruler::CloudInit && is_card(name) && !self.left.contains(name);
            (self.gone.contains(name) && !self.to_dhcp.contains(name)) || orphan
        };
        if !names.iter().any(is_gone) {
            return piece.text.clone();
        }
        let rest: Vec<&str> =
            names.iter().filter(|name| !is_gone(name)).map(String::as_str).collect();
        let keyword = piece.text.split_whitespace().next().unwrap_or("auto");
        if rest.is_empty() { String::new() } else { format!("{keyword} {}\n", rest.join(" ")) }
    }
}

fn with_ground(text: &str) -> String {
    let pieces = interfaces::parse(text);
    let has_loopback = pieces.iter().filter_map(Piece::interface).any(|found| found.name == "lo");
    let has_source = pieces
        .iter()
        .filter_map(Piece::source)
        .any(|source| source.starts_with("/etc/network/interfaces.d"));
    let mut new = if has_loopback { String::new() } else { LOOPBACK.to_owned() };
    new.push_str(text);
    if !has_source {
        new = crate::formats::assignments::appended(&new, &format!("source {DROP_INS}"));
    }
    new
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn released(files: &[(&str, &str)], ruler: Ruler) -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for (path, text) in files {
            root.write(path, text).unwrap();
        }
        let mut edit = Edit::new(&root, &[]);
        release(&mut edit, ruler).unwrap();
        let mut again = Edit::new(&root, &[]);
        release(&mut again, ruler).unwrap();
        assert_eq!(again.into_changed(), [""; 0], "a second time changes something");
        (directory, root)
    }

    const STATIC: &str = "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n\
        # The uplink\nauto eth0\niface eth0 inet static\n    address 10.0.2.77/24\n";

    #[test]
    fn under_cloud_init_only_the_ground_is_left() {
        let second = "auto eth1\niface eth1 inet dhcp\n";
        let files = [(MAIN, STATIC), ("/etc/network/interfaces.d/40-second", second)];
        let (_directory, root) = released(&files, Ruler::CloudInit);
        assert_eq!(
            root.text(MAIN).unwrap(),
            "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n# The uplink\n"
        );
        assert!(!root.exists("/etc/network/interfaces.d/40-second").unwrap());
    }

    #[test]
    fn without_cloud_init_the_card_asks_for_an_address() {
        let (_directory, root) = released(&[(MAIN, STATIC)], Ruler::Guest);
        let text = root.text(MAIN).unwrap();
        assert!(text.ends_with("auto eth0\niface eth0 inet dhcp\n"), "{text}");
    }

    #[test]
    fn a_static_stanza_is_found_where_it_is_included() {
        let files = [
            (MAIN, "auto lo\niface lo inet loopback\nsource-directory more\n"),
            ("/etc/network/more/a", "auto eth0:1\niface eth0:1 inet static\n address 10.0.2.78\n"),
        ];
        let (_directory, root) = released(&files, Ruler::Guest);
        assert!(!root.exists("/etc/network/more/a").unwrap());
        assert!(root.text(MAIN).unwrap().contains("source-directory more\n"));
    }

    #[test]
    fn the_ground_is_laid_where_it_is_missing() {
        let (_directory, root) =
            released(&[(MAIN, "allow-hotplug eth0\niface eth0 inet dhcp\n")], Ruler::CloudInit);
        assert_eq!(
            root.text(MAIN).unwrap(),
            "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n"
        );
    }

    #[test]
    fn files_that_include_each_other_come_to_an_end() {
        let text = "source /etc/network/interfaces\nsource /etc/network/interfaces.d/*\n";
        released(&[(MAIN, text), ("/etc/network/interfaces.d/a", text)], Ruler::Guest);
    }

    proptest! {
        #[test]
        fn other_stanzas_stay_as_they_are(
            before in unrelated(), between in unrelated(), after in unrelated(),
        ) {
            let text = format!(
                "{before}auto eth0\n{between}iface eth0 inet static\n\taddress 10.0.2.77\n{after}"
            );
            let pieces = interfaces::parse(&text);
            let files = BTreeMap::from([(PathBuf::from(MAIN), pieces.clone())]);
            let plan = Plan::new(&files, Ruler::CloudInit);
            prop_assert_eq!(
                plan.rewritten(&pieces, Ruler::CloudInit),
                format!("{before}{between}{after}")
            );
        }
    }

    /// Stanzas that bind nothing to one instance.
    fn unrelated() -> impl Strategy<Value = String> {
        let stanza = prop::sample::select(vec![
            "# a comment\n",
            "\n",
            "auto lo\niface lo inet loopback\n",
            "auto br0\niface br0 inet dhcp\n  bridge_ports none\n  # odd  spacing\n  up ip link\n",
            "iface bond0 inet manual\n\tbond-slaves eth2 \\\n\t eth3\n",
            "mapping hotplug\n  script grep\n  map eth0\n",
            "source /elsewhere/*\n",
            "no-auto-down br0\n",
            "allow-hotplug wlan0\n",
        ]);
        prop::collection::vec(stanza, 0..5).prop_map(|stanzas| stanzas.concat())
    }
}
