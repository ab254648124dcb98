//! The appliance with a real kernel, on small disks made of files.

// Clippy knows a test by its attribute; these are the tests' own helpers.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use guest::job::{Event, Job, Report, Task};
use machine::accelerator::Accelerator;
use machine::appliance::Appliance;
use machine::kernel::Kernel;
use machine::{Cancel, DriveFormat, Error};

/// The appliance, where a kernel was prepared for this user.
fn appliance() -> Option<Appliance> {
    let kernel = Kernel::prepared();
    if kernel.is_err() {
        eprintln!("skipped: `tintype appliance setup` was not run");
    }
    Some(Appliance::new(kernel.ok()?, Accelerator::Tcg))
}

/// A raw disk that is one ext4 file system with these files.
fn disk(folder: &Path, files: &[(&str, &str)]) -> PathBuf {
    let tree = folder.join("tree");
    for (path, content) in files {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    fs::create_dir_all(&tree).unwrap();
    let disk = folder.join("disk");
    e2fs("mke2fs", &["-q", "-t", "ext4", "-d", tree.to_str().unwrap()], &disk, &["64M"]);
    disk
}

fn e2fs(program: &str, before: &[&str], disk: &Path, after: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let mut command = Command::new(program);
    let done = command.env("PATH", path).args(before).arg(disk).args(after).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn run(appliance: &Appliance, disk: &Path, tasks: Vec<Task>) -> Result<Report, Error> {
    let job = Job { tasks, network: false, trim: true };
    appliance.run(disk, DriveFormat::Raw, &job, &mut |_| {}, &Cancel::new())
}

#[test]
fn a_guest_is_cleaned_and_its_file_system_left_whole() {
    let Some(appliance) = appliance() else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = disk(
        folder.path(),
        &[
            ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
            ("tmp/large", &"x".repeat(8 << 20)),
        ],
    );
    let room = |disk: &Path| std::os::unix::fs::MetadataExt::blocks(&disk.metadata().unwrap());
    let before = room(&disk);
    let job = Job {
        tasks: vec![Task::Inspect, Task::Clean(guest::clean::Options::default())],
        network: false,
        trim: true,
    };
    let mut changed = Vec::new();
    let mut listen = |event| {
        if let Event::Changed(change) = event {
            changed.push(change.operation);
        }
    };
    let report = appliance.run(&disk, DriveFormat::Raw, &job, &mut listen, &Cancel::new()).unwrap();
    assert_eq!(report.os.unwrap().id, "debian");
    assert!(changed.iter().any(|operation| operation == "machine_id"), "{changed:?}");
    assert_eq!(e2fs("debugfs", &["-R", "cat /etc/machine-id"], &disk, &[]), "");
    e2fs("e2fsck", &["-f", "-n"], &disk, &[]);
    // 512-byte units of stat(2): the large file's blocks went back to the host.
    assert!(room(&disk) + (8 << 20) / 512 <= before, "{before} became {}", room(&disk));
}

#[test]
fn a_disk_without_a_root_is_refused_in_words() {
    let Some(appliance) = appliance() else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = disk(folder.path(), &[("data", "1")]);
    let why = run(&appliance, &disk, vec![Task::Inspect]).unwrap_err();
    assert!(matches!(why, Error::Appliance { .. }), "{why:?}");
    assert!(why.to_string().contains("none of the disk's file systems is a root"), "{why}");
    e2fs("e2fsck", &["-f", "-n"], &disk, &[]);
}

#[test]
fn a_job_that_cannot_be_done_says_which_operation_failed() {
    let Some(appliance) = appliance() else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = disk(folder.path(), &[("etc/os-release", "ID=debian\nVERSION_ID=12\n")]);
    let options =
        guest::prepare::Options { packages: vec!["cloud-init".into()], ..Default::default() };
    let why = run(&appliance, &disk, vec![Task::Prepare(options)]).unwrap_err().to_string();
    assert!(why.contains("cloud-init is not installed"), "{why}");
    e2fs("e2fsck", &["-f", "-n"], &disk, &[]);
}

#[test]
fn a_cancelled_job_ends_the_machine() {
    let Some(appliance) = appliance() else { return };
    let folder = tempfile::tempdir().unwrap();
    let disk = disk(folder.path(), &[("etc/os-release", "ID=debian\n")]);
    let cancel = Cancel::new();
    cancel.cancel();
    let done = appliance.run(&disk, DriveFormat::Raw, &Job::default(), &mut |_| {}, &cancel);
    assert!(matches!(done, Err(Error::Cancelled)), "{done:?}");
}
