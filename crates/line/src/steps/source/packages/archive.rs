//! Where packages come from: what the machine's own apt uses, or what the recipe names.

use std::process::Command;

use crate::recipe::PackagesSource;
use crate::{Error, Result};

/// A line of apt's `sources.list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Archive {
    address: String,
    suite: String,
    components: Vec<String>,
}

/// Security and stable updates belong to a release; its other pockets are asked for by name.
const POCKETS: &[&str] = &["", "-updates", "-security"];

impl Archive {
    /// The line, as apt and mmdebstrap read it.
    pub(super) fn line(&self) -> String {
        format!("deb {} {} {}", self.address, self.suite, self.components.join(" "))
    }
}

/// The archives that a source is built from.
///
/// # Errors
/// [`Error::NoMirror`] when the recipe names none and this machine's apt has none with the suite.
pub(super) fn for_building(source: &PackagesSource) -> Result<Vec<Archive>> {
    match &source.mirror {
        Some(mirror) => Ok(vec![named(mirror, source)]),
        None => of_this_machine(source),
    }
}

/// The archives that the finished system uses.
pub(super) fn for_the_image(source: &PackagesSource, building: &[Archive]) -> Vec<Archive> {
    match &source.mirror_in_image {
        None => building.to_vec(),
        Some(mirror) => vec![named(mirror, source)],
    }
}

fn named(mirror: &str, source: &PackagesSource) -> Archive {
    Archive {
        address: mirror.to_owned(),
        suite: source.suite.clone(),
        components: source.components.clone(),
    }
}

fn of_this_machine(source: &PackagesSource) -> Result<Vec<Archive>> {
    let asked = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI)\t$(RELEASE)\t$(CODENAME)\t$(COMPONENT)"])
        .arg("Created-By: Packages")
        .output()
        .map_err(Error::doing("apt-get"))?;
    let archives = matching(&String::from_utf8_lossy(&asked.stdout), source);
    if archives.iter().any(|archive| archive.suite == source.suite) {
        return Ok(archives);
    }
    Err(Error::NoMirror(source.suite.clone()))
}

/// One archive for each pocket of the suite, in the order of [`POCKETS`].
fn matching(targets: &str, source: &PackagesSource) -> Vec<Archive> {
    let targets: Vec<[&str; 4]> = targets.lines().filter_map(fields).collect();
    let pocket = |pocket: &&str| {
        let suite = format!("{}{pocket}", source.suite);
        let of_pocket = |target: &&[&str; 4]| target[1] == suite || target[2] == suite;
        let wanted = |target: &&[&str; 4]| source.components.iter().any(|c| c == target[3]);
        let address = targets.iter().filter(of_pocket).find(wanted)?[0];
        let components = source.components.iter().filter(|component| {
            let has = |t: &[&str; 4]| t[0] == address && t[3] == component.as_str();
            targets.iter().filter(of_pocket).any(has)
        });
        let components = components.cloned().collect();
        Some(Archive { address: address.to_owned(), suite, components })
    };
    POCKETS.iter().filter_map(pocket).collect()
}

fn fields(line: &str) -> Option<[&str; 4]> {
    line.split('\t').collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "\
http://a.invalid/debian/\tbookworm-backports\tbookworm-backports\tmain
http://a.invalid/debian/\tstable\tbookworm\tmain
http://a.invalid/debian/\tstable\tbookworm\tcontrib
http://b.invalid/debian/\tbookworm\tbookworm\tmain
http://a.invalid/debian-security/\tbookworm-security\tbookworm-security\tmain
http://c.invalid/other/\tnodistro\t\tmain
";

    fn source(suite: &str, components: &[&str]) -> PackagesSource {
        PackagesSource {
            packages: Vec::new(),
            suite: suite.to_owned(),
            components: components.iter().map(|&c| c.to_owned()).collect(),
            kernel: String::new(),
            mirror: None,
            mirror_in_image: None,
            exclude: Vec::new(),
        }
    }

    #[test]
    fn a_release_comes_with_its_security_pocket_from_the_first_archive_that_has_it() {
        let found = matching(TARGETS, &source("bookworm", &["main", "contrib", "non-free"]));
        let lines: Vec<String> = found.iter().map(Archive::line).collect();
        assert_eq!(
            lines,
            [
                "deb http://a.invalid/debian/ bookworm main contrib",
                "deb http://a.invalid/debian-security/ bookworm-security main",
            ]
        );
    }

    #[test]
    fn another_release_has_none() {
        assert!(matching(TARGETS, &source("trixie", &["main"])).is_empty());
    }

    #[test]
    fn a_named_mirror_is_the_only_one() {
        let mut source = source("sid", &["main"]);
        source.mirror = Some("http://m.invalid".to_owned());
        let archives = for_building(&source).unwrap();
        assert_eq!(archives[0].line(), "deb http://m.invalid sid main");
        assert_eq!(for_the_image(&source, &archives), archives);
        source.mirror_in_image = Some("http://i.invalid".to_owned());
        assert_eq!(for_the_image(&source, &archives)[0].line(), "deb http://i.invalid sid main");
    }
}
