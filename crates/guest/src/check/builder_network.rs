//! Proxies and mirrors of the network in which the image was made.

use super::{Check, Outcome, Severity};
use crate::{Guest, Result};
/// A line of a file, as suspicious or not.
type Rule = (&'static str, fn(&str) -> bool);

const FILES: &[Rule] = &[
    ("/etc/apt/apt.conf", names_proxy),
    ("/etc/apt/apt.conf.d/*", names_proxy),
    ("/etc/yum.conf", names_proxy),
    ("/etc/dnf/dnf.conf", names_proxy),
    ("/etc/environment", names_proxy),
    ("/etc/sysconfig/proxy", names_proxy),
    ("/etc/profile.d/*.sh", names_proxy),
    ("/etc/apt/sources.list", is_private),
    ("/etc/apt/sources.list.d/*", is_private),
    ("/etc/yum.repos.d/*.repo", is_private),
    ("/etc/zypp/repos.d/*.repo", is_private),
];

/// See [`Check::title`].
pub(super) struct BuilderNetwork;

impl Check for BuilderNetwork {
    fn id(&self) -> &'static str {
        "S6"
    }

    fn title(&self) -> &'static str {
        "No proxy and no private mirror is left"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "remove the setting from the file"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = Vec::new();
        for (pattern, is_suspicious) in FILES {
            for path in guest.root.glob(pattern)? {
                let text = guest.root.text(&path)?;
                let lines =
                    text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '/']));
                if let Some(line) = lines.into_iter().find(|line| is_suspicious(line)) {
                    problems.push(format!("{}: {}", path.display(), shown(line)));
                }
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}

/// `Acquire::http::Proxy "http://…"`, `proxy=http://…`, `https_proxy=…`.
fn names_proxy(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.contains("proxy") && line.contains("://")
}

/// Whether an address of a private network (RFC 1918) or the machine itself is in a URL.
fn is_private(line: &str) -> bool {
    let hosts = line.split("://").skip(1).filter_map(|rest| rest.split(['/', ':', ' ']).next());
    hosts.into_iter().any(|host| match host.parse::<std::net::Ipv4Addr>() {
        Ok(address) => address.is_private() || address.is_loopback(),
        Err(_) => host == "localhost",
    })
}

/// Without what may be a password.
fn shown(line: &str) -> String {
    match (line.split_once("://"), line.rsplit_once('@')) {
        (Some((start, _)), Some((_, end))) => format!("{start}://…@{end}"),
        _ => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_mirror_is_told_from_a_public_one() {
        assert!(is_private("deb http://10.1.2.3:3142/debian bookworm main"));
        assert!(is_private("baseurl=http://localhost/repo"));
        assert!(!is_private("deb http://deb.debian.org/debian bookworm main"));
        assert!(names_proxy("Acquire::http::Proxy \"http://proxy:3128\";"));
        assert!(!names_proxy("Acquire::http::Proxy::Timeout 5;"));
        assert_eq!(shown("proxy=http://me:secret@proxy:3128"), "proxy=http://…@proxy:3128");
    }
}
