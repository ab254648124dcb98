//! `os-release(5)`, and what was there before it.

use crate::formats::assignments;
use crate::{Family, Result, Root};

const FILES: &[&str] = &["/etc/os-release", "/usr/lib/os-release"];

/// Ids as os-release has them in `ID` and `ID_LIKE`.
const FAMILIES: &[(&str, Family)] = &[
    ("debian", Family::Debian),
    ("ubuntu", Family::Debian),
    ("rhel", Family::RedHat),
    ("fedora", Family::RedHat),
    ("centos", Family::RedHat),
    ("amzn", Family::RedHat),
    ("ol", Family::RedHat),
    ("suse", Family::Suse),
    ("opensuse", Family::Suse),
    ("sles", Family::Suse),
];

/// Files of distributions from before os-release (CentOS 6, Debian 6), whose first line is a name.
const OLDER: &[(&str, Family, &str)] = &[
    ("/etc/redhat-release", Family::RedHat, "rhel"),
    ("/etc/SuSE-release", Family::Suse, "suse"),
    ("/etc/debian_version", Family::Debian, "debian"),
];

/// The id, the version, the name for people, the family.
pub(super) fn read(root: &Root) -> Result<(String, String, String, Family)> {
    for file in FILES {
        let text = root.text(file)?;
        if !text.is_empty() {
            return Ok(from_os_release(&text));
        }
    }
    for (file, family, id) in OLDER {
        let text = root.text(file)?;
        if !text.is_empty() {
            let id = if text.starts_with("CentOS") { "centos" } else { id };
            return Ok((id.into(), version_in(&text), text.trim().into(), *family));
        }
    }
    Ok(Default::default())
}

fn from_os_release(text: &str) -> (String, String, String, Family) {
    let get = |key: &str| assignments::get(text, key).unwrap_or_default();
    let (id, like) = (get("ID"), get("ID_LIKE"));
    let family = std::iter::once(id.as_str())
        .chain(like.split_whitespace())
        .find_map(|id| FAMILIES.iter().find(|(known, _)| *known == id))
        .map_or(Family::Unknown, |(_, family)| *family);
    (id, get("VERSION_ID"), get("PRETTY_NAME"), family)
}

/// The first word that begins with a digit.
fn version_in(text: &str) -> String {
    text.split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or_default()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_follows_from_the_id_or_what_it_is_like() {
        for (text, id, version, family) in [
            ("ID=debian\nVERSION_ID=\"12\"\n", "debian", "12", Family::Debian),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "linuxmint", "", Family::Debian),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", "rocky", "", Family::RedHat),
            ("ID='opensuse-leap'\nID_LIKE='suse opensuse'", "opensuse-leap", "", Family::Suse),
            ("ID=plan9\n", "plan9", "", Family::Unknown),
        ] {
            let found = from_os_release(text);
            assert_eq!((found.0.as_str(), found.1.as_str(), found.3), (id, version, family));
        }
    }

    #[test]
    fn an_old_centos_is_known_by_its_release_file() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.write("/etc/redhat-release", "CentOS release 6.10 (Final)\n").unwrap();
        let found = read(&root).unwrap();
        assert_eq!((found.0.as_str(), found.1.as_str()), ("centos", "6.10"));
        assert_eq!(found.3, Family::RedHat);
    }
}
