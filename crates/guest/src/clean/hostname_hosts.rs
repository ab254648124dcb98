//! The name of the old instance.

use std::collections::BTreeSet;

use super::{Cleaning, Operation};
use crate::formats::assignments;
use crate::{Result, Root};

const HOSTNAME: &str = "/etc/hostname";

const HOSTS: &str = "/etc/hosts";

/// What a host is called until it gets a name.
const GENERIC: &str = "localhost\n";

/// Other files that hold nothing but the name.
const COPIES: &[&str] = &["/etc/HOSTNAME", "/etc/mailname"];

/// Where the Red Hat family had it before there was `/etc/hostname`.
const SYSCONFIG: &str = "/etc/sysconfig/network";

/// See [`Operation::summary`].
pub(crate) struct HostnameHosts;

impl Operation for HostnameHosts {
    fn name(&self) -> &'static str {
        "hostname_hosts"
    }

    fn summary(&self) -> &'static str {
        "Forget the host name, in /etc/hosts too"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        let names = old_names(cleaning.edit.root)?;
        cleaning.edit.rewrite(HOSTS, |hosts| without_names(hosts, &names))?;
        cleaning.edit.rewrite(HOSTNAME, |_| GENERIC.into())?;
        for file in COPIES {
            cleaning.edit.rewrite(file, |_| GENERIC.into())?;
        }
        cleaning.edit.rewrite(SYSCONFIG, |text| {
            assignments::without(text, |key| matches!(key, "HOSTNAME" | "GATEWAY" | "GATEWAYDEV"))
        })
    }
}

/// The names that the guest was given, each with what follows its first dot and without.
fn old_names(root: &Root) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in [HOSTNAME].iter().chain(COPIES) {
        names.insert(root.text(file)?.trim().to_owned());
    }
    names.extend(assignments::get(&root.text(SYSCONFIG)?, "HOSTNAME"));
    names.extend(names_on_own_address(&root.text(HOSTS)?));
    let short: Vec<String> =
        names.iter().filter_map(|name| name.split('.').next()).map(str::to_owned).collect();
    names.extend(short);
    names.retain(|name| !name.is_empty() && !name.starts_with("localhost"));
    Ok(names)
}

/// Debian gives a host without a fixed address 127.0.1.1: Debian Reference, "The hostname resolution".
fn names_on_own_address(hosts: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    hosts
        .lines()
        .map(words)
        .filter(|words| words.first().is_some_and(|address| address == "127.0.1.1"))
        .flat_map(|words| words.into_iter().skip(1))
        .collect()
}

fn without_names(hosts: &str, names: &BTreeSet<String>) -> String {
    let is_old = |name: &str| {
        names.contains(name) || name.split('.').next().is_some_and(|short| names.contains(short))
    };
    hosts.split_inclusive('\n').map(|line| without_old(line, is_old)).collect()
}

/// A line without the names that are old; without all of it if no name is left.
fn without_old(line: &str, is_old: impl Fn(&str) -> bool) -> String {
    let entry = line.split('#').next().unwrap_or_default();
    let mut words = entry.split_whitespace();
    let (Some(address), names) = (words.next(), words.collect::<Vec<_>>()) else {
        return line.to_owned();
    };
    if !names.iter().any(|name| is_old(name)) {
        return line.to_owned();
    }
    let rest: Vec<&str> = names.into_iter().filter(|name| !is_old(name)).collect();
    if rest.is_empty() { String::new() } else { format!("{address}\t{}\n", rest.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_old_name_go_and_the_others_stay() {
        let names = BTreeSet::from(["snapshot".to_owned()]);
        let hosts = "# static\n127.0.0.1\tlocalhost snapshot\n127.0.1.1 snapshot.example.org snapshot\n\
                     10.0.2.77 snapshot\n::1 localhost # snapshot\n10.0.2.9 registry snapshots\n";
        assert_eq!(
            without_names(hosts, &names),
            "# static\n127.0.0.1\tlocalhost\n::1 localhost # snapshot\n10.0.2.9 registry snapshots\n"
        );
    }
}
