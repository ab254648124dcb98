use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;
use crate::prepare::Options;

/// A guest's programs that do what they are told: apt's installs files.
struct Programs<'a> {
    root: &'a Root,
    calls: Vec<String>,
    installs: &'static [(&'static str, &'static str)],
    status: i32,
}

impl Commands for Programs<'_> {
    fn run(
        &mut self,
        program: &str,
        arguments: &[&str],
        _environment: &[(&str, &str)],
        said: &mut dyn FnMut(&str),
    ) -> io::Result<ExitStatus> {
        assert!(self.root.is_file(POLICY).unwrap(), "services may be started");
        self.calls.push(format!("{program} {}", arguments.join(" ")));
        said("Reading package lists...");
        for (package, file) in self.installs {
            if arguments.contains(package) {
                self.root.write(file, "").unwrap();
            }
        }
        // A wait status holds the exit code in its second byte: wait(2).
        Ok(ExitStatus::from_raw(self.status << 8))
    }
}

fn guest() -> (tempfile::TempDir, Root) {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(directory.path()).unwrap();
    root.write("/etc/os-release", "ID=debian\n").unwrap();
    root.write("/usr/bin/apt-get", "").unwrap();
    root.write("/usr/sbin/sshd", "").unwrap();
    (directory, root)
}

fn options(packages: &[&str]) -> Options {
    Options { packages: packages.iter().map(|&name| name.into()).collect(), ..Options::default() }
}

#[test]
fn what_is_there_needs_no_package_manager() {
    let (_directory, root) = guest();
    let (os, options, mut log) =
        (inspect(&root).unwrap(), options(&["openssh-server"]), |_: &str| {});
    Packages.apply(&mut Preparation::new(&root, &os, &options, &mut log)).unwrap();
}

#[test]
fn what_is_missing_is_named_by_the_distributions_names() {
    let (_directory, root) = guest();
    let (os, options, mut log) =
        (inspect(&root).unwrap(), options(&["openssh-server", "growpart", "nano"]), |_: &str| {});
    let why = Packages.apply(&mut Preparation::new(&root, &os, &options, &mut log)).unwrap_err();
    let Error::MissingPackages { packages, .. } = &why else { panic!("{why}") };
    assert_eq!(packages, &["cloud-guest-utils", "nano"]);
}

#[test]
fn what_is_missing_is_installed() {
    let (_directory, root) = guest();
    let (os, options) = (inspect(&root).unwrap(), options(&["openssh-server", "growpart"]));
    let mut lines = Vec::new();
    let mut log = |line: &str| lines.push(line.to_owned());
    let installs = &[("cloud-guest-utils", "/usr/bin/growpart")];
    let mut programs = Programs { root: &root, calls: Vec::new(), installs, status: 0 };
    let mut preparation = Preparation::new(&root, &os, &options, &mut log);
    preparation.commands = Some(&mut programs);
    preparation.network = true;
    Packages.apply(&mut preparation).unwrap();
    assert_eq!(preparation.edit.into_changed(), ["/var/lib/dpkg/status"]);
    assert_eq!(programs.calls[0], "apt-get -q update");
    assert!(programs.calls[1].ends_with("install cloud-guest-utils"), "{:?}", programs.calls);
    assert_eq!(lines.len(), 2);
    assert!(!root.exists(POLICY).unwrap());
}

#[test]
fn a_failure_is_told_with_its_last_words() {
    let (_directory, root) = guest();
    let (os, options, mut log) = (inspect(&root).unwrap(), options(&["acpid"]), |_: &str| {});
    let mut programs = Programs { root: &root, calls: Vec::new(), installs: &[], status: 100 };
    let mut preparation = Preparation::new(&root, &os, &options, &mut log);
    preparation.commands = Some(&mut programs);
    preparation.network = true;
    let why = Packages.apply(&mut preparation).unwrap_err().to_string();
    assert!(why.contains("apt-get -q update") && why.contains("Reading package lists"), "{why}");
    assert!(!root.exists(POLICY).unwrap());
}

#[test]
fn without_a_network_nothing_is_tried() {
    let (_directory, root) = guest();
    let (os, options, mut log) = (inspect(&root).unwrap(), options(&["acpid"]), |_: &str| {});
    let mut programs = Programs { root: &root, calls: Vec::new(), installs: &[], status: 0 };
    let mut preparation = Preparation::new(&root, &os, &options, &mut log);
    preparation.commands = Some(&mut programs);
    assert!(Packages.apply(&mut preparation).is_err());
    assert!(programs.calls.is_empty());
}
