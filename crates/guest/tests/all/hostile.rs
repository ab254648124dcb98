//! A guest that wants out: whatever it links where, the host stays as it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use guest::job::Task;
use guest::{check, clean, prepare};

use crate::guests::debian;

/// Files that operations read, write or remove.
const TARGETS: &[&str] = &[
    "/etc/machine-id",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/shadow",
    "/etc/fstab",
    "/etc/resolv.conf",
    "/etc/default/grub",
    "/etc/network/interfaces",
    "/root/.bash_history",
    "/var/log/syslog",
    "/tmp/x",
    "/swapfile",
];

/// Directories whose contents operations remove or into which they write.
const DIRECTORIES: &[&str] = &[
    "/home/ann/.cache",
    "/root/.ssh",
    "/var/lib/cloud",
    "/var/log/journal",
    "/var/tmp",
    "/etc/cloud/cloud.cfg.d",
    "/etc/netplan",
];

#[test]
fn links_to_the_host_lead_nowhere() {
    let host = tempfile::tempdir().unwrap();
    let secret = host.path().join("authorized_keys");
    fs::write(&secret, "the host's\n").unwrap();
    let up = format!("../../../../../../../..{}", host.path().display());
    for prefix in [host.path().display().to_string(), up] {
        let tree = debian();
        let at = |path: &str| tree.path().join(path.trim_start_matches('/'));
        for path in TARGETS.iter().chain(DIRECTORIES) {
            tree.root.remove(path).unwrap();
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            let is_directory = DIRECTORIES.contains(path);
            let target =
                if is_directory { prefix.clone() } else { format!("{prefix}/authorized_keys") };
            symlink(target, at(path)).unwrap();
        }
        for task in tasks() {
            let job = guest::job::Job { tasks: vec![task], ..Default::default() };
            // Some operations rightly refuse such a guest; none may reach the host.
            let _ = guest::job::run(&tree.root, None, &job, &mut |_| {});
            assert_untouched(host.path(), &secret);
        }
    }
}

/// Each operation alone, so that one that refuses does not protect the others.
fn tasks() -> Vec<Task> {
    let others = |name: &str, all: Vec<&str>| -> Vec<String> {
        all.into_iter().filter(|other| *other != name).map(str::to_owned).collect()
    };
    let mut tasks = vec![Task::Inspect, Task::Check(check::Options::default())];
    let names: Vec<&str> = prepare::ALL.iter().map(|operation| operation.name()).collect();
    for name in names.iter().filter(|name| **name != "packages") {
        tasks.push(Task::Prepare(prepare::Options {
            root_login: Some(true),
            root_password: Some(prepare::Password("secret".into())),
            skip: others(name, names.clone()),
            ..Default::default()
        }));
    }
    let names: Vec<&str> = clean::ALL.iter().map(|operation| operation.name()).collect();
    for name in &names {
        let (skip, also) = (others(name, names.clone()), vec![(*name).into()]);
        tasks.push(Task::Clean(clean::Options { skip, also, keep: Vec::new() }));
    }
    tasks
}

fn assert_untouched(host: &Path, secret: &Path) {
    assert_eq!(fs::read_to_string(secret).unwrap(), "the host's\n");
    assert_eq!(fs::read_dir(host).unwrap().count(), 1);
}

#[test]
fn homes_that_are_no_homes_lose_nothing_else() {
    let tree = debian();
    tree.file(
        "/etc/passwd",
        "root:x:0:0::/:/bin/sh\nann:x:1000:1000::/etc:/bin/sh\nb:x:1001:1::../../..:/bin/sh\n",
    );
    tree.file("/etc/important", "x");
    tree.does(Task::Clean(clean::Options::default()));
    assert!(tree.root.exists("/etc/important").unwrap());
    assert!(tree.root.exists("/usr/sbin/sshd").unwrap());
}
