use std::collections::BTreeMap;

use guest::check::{FailOn, Finding, Options, Verdict};
use guest::job::Task;
use guest::{clean, prepare};

use crate::guests::{Tree, centos, debian};
use crate::traces::{dirty_debian, dirty_red_hat};

fn findings(tree: &Tree) -> BTreeMap<String, Finding> {
    let report = tree.does(Task::Check(Options::default()));
    report.findings.into_iter().map(|finding| (finding.check.clone(), finding)).collect()
}

fn make(tree: &Tree) {
    let options = prepare::Options { packages: Vec::new(), ..Default::default() };
    tree.does(Task::Prepare(options));
    tree.does(Task::Clean(clean::Options::default()));
}

fn with(findings: &BTreeMap<String, Finding>, verdict: Verdict) -> Vec<&str> {
    let found = findings.values().filter(|finding| finding.verdict == verdict);
    found.map(|finding| finding.check.as_str()).collect()
}

/// Each of these is broken in a dirty guest and mended by preparing and cleaning.
const TURN_IN_DEBIAN: &[&str] = &[
    "N1", "N5", "N6", "N7", "N8", "N10", "N11", "N14", "C1", "C2", "C3", "B1", "B2", "I1", "I2",
    "I4", "I5", "I7", "I8", "I9", "I10", "D3",
];

const TURN_IN_CENTOS: &[&str] = &["N2", "N3", "N4", "N5", "N11", "N12", "B1", "I1", "I2", "D3"];

#[test]
fn a_dirty_debian_fails_and_passes_when_it_is_made() {
    let tree = debian();
    dirty_debian(&tree);
    let before = findings(&tree);
    for id in TURN_IN_DEBIAN {
        let finding = &before[*id];
        assert!(matches!(finding.verdict, Verdict::Fail | Verdict::Warn), "{finding:?}");
        assert!(!finding.what.is_empty() && !finding.fix.is_empty(), "{finding:?}");
    }
    make(&tree);
    let after = findings(&tree);
    assert_eq!(with(&after, Verdict::Fail), [""; 0]);
    for id in TURN_IN_DEBIAN {
        assert!(matches!(after[*id].verdict, Verdict::Pass | Verdict::Skip), "{:?}", after[*id]);
    }
    // The old user and the passwords are for a person to judge.
    assert_eq!(with(&after, Verdict::Warn), ["I11", "I6"]);
}

#[test]
fn a_dirty_centos_fails_and_passes_when_it_is_made() {
    let tree = centos();
    dirty_red_hat(&tree);
    let before = findings(&tree);
    for id in TURN_IN_CENTOS {
        let finding = &before[*id];
        assert!(matches!(finding.verdict, Verdict::Fail | Verdict::Warn), "{finding:?}");
    }
    make(&tree);
    let after = findings(&tree);
    for id in TURN_IN_CENTOS {
        assert_eq!(after[*id].verdict, Verdict::Pass, "{:?}", after[*id]);
    }
    // What only packages could mend.
    assert_eq!(with(&after, Verdict::Fail), ["C1", "C8"]);
}

#[test]
fn checking_changes_nothing() {
    let tree = debian();
    dirty_debian(&tree);
    let seen = || {
        let files = tree.root.walk("/").unwrap().into_iter();
        files
            .map(|entry| (entry.path.clone(), tree.root.read(&entry.path).unwrap()))
            .collect::<Vec<_>>()
    };
    let before = seen();
    findings(&tree);
    assert!(seen() == before);
}

/// One change to a good guest, and the check that sees it.
#[test]
fn each_fault_is_seen_by_its_check() {
    type Spoil = fn(&Tree);
    let faults: &[(&str, Spoil)] = &[
        ("C1", |tree| drop(tree.root.remove("/usr/bin/cloud-init"))),
        ("C5", |tree| tree.file("/etc/cloud/cloud.cfg.d/a.cfg", "growpart: {mode: off}\n")),
        ("C6", |tree| tree.file("/etc/cloud/cloud.cfg.d/a.cfg", "a: [\n")),
        ("C7", |tree| tree.file("/etc/cloud/cloud.cfg.d/a.cfg", "network: {config: disabled}\n")),
        ("C8", |tree| drop(tree.root.remove("/usr/bin/growpart"))),
        ("C10", |tree| tree.file("/etc/fstab", "UUID=1 / ext4\nUUID=2 /home ext4\n")),
        ("C12", |tree| drop(tree.root.remove("/usr/sbin/qemu-ga"))),
        ("C14", |tree| drop(tree.root.remove("/lib/systemd/system/systemd-timesyncd.service"))),
        ("B3", |tree| {
            tree.root
                .symlink("/dev/null", "/etc/systemd/system/serial-getty@ttyS0.service")
                .unwrap();
        }),
        ("B4", |tree| tree.file("/boot/grub/grub.cfg", "set timeout=60\n")),
        ("B5", |tree| tree.file("/etc/fstab", "/dev/sda1 / ext4\n")),
        ("B6", |tree| tree.file("/etc/fstab", "UUID=1 / ext4\nserver:/x /srv nfs\n")),
        ("B8", |tree| drop(tree.root.remove("/boot/initrd.img-6.1.0-18-amd64"))),
        ("B10", |tree| tree.file("/etc/kernel/cmdline", "resume=UUID=1\n")),
        ("I3", |tree| tree.plant("/etc/shadow", 0o640, "root::1::::::\n")),
        ("N9", |tree| tree.enabled("NetworkManager.service")),
        ("S1", |tree| drop(tree.root.remove("/usr/sbin/sshd"))),
        ("S2", |tree| tree.file("/etc/ssh/sshd_config", "UseDNS yes\n")),
        ("S5", |tree| tree.root.chmod("/etc/shadow", 0o644).unwrap()),
        ("S6", |tree| tree.file("/etc/environment", "http_proxy=http://10.0.0.1:3128\n")),
    ];
    for (id, fault) in faults {
        let tree = debian();
        make(&tree);
        let before = &findings(&tree)[*id];
        assert_eq!(before.verdict, Verdict::Pass, "{before:?}");
        fault(&tree);
        let after = &findings(&tree)[*id];
        assert!(matches!(after.verdict, Verdict::Fail | Verdict::Warn), "{after:?}");
    }
}

#[test]
fn the_recipe_says_what_rejects_an_image() {
    let tree = debian();
    make(&tree);
    for (fail_on, expected) in
        [(FailOn::Fail, vec![]), (FailOn::Warn, vec!["I11"]), (FailOn::Never, vec![])]
    {
        let report = tree.does(Task::Check(Options { fail_on, ..Options::default() }));
        let rejecting: Vec<&str> =
            report.rejections().map(|finding| finding.check.as_str()).collect();
        assert_eq!(rejecting, expected, "{fail_on:?}");
    }
    let skip = vec!["I11".into()];
    let report = tree.does(Task::Check(Options { skip, fail_on: FailOn::Warn }));
    assert_eq!(report.rejections().count(), 0);
}

#[test]
fn ids_and_names_are_unique() {
    let mut names: Vec<&str> = guest::check::ALL.iter().map(|check| check.id()).collect();
    names.extend(clean::ALL.iter().map(|operation| operation.name()));
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    assert!(guest::check::ALL.len() >= 25);
}
