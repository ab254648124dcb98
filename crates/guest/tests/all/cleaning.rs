use guest::clean::Options;
use guest::job::{Event, Task};

use crate::guests::{Tree, centos, debian};
use crate::traces::{ADDRESS, MAC, NAME, Planted, dirty_debian, dirty_red_hat};

fn clean(tree: &Tree) {
    tree.does(Task::Clean(Options::default()));
}

/// The traces that are as they were planted.
fn left(tree: &Tree, planted: &Planted) -> Vec<String> {
    let is_left = |(path, content): &&(String, String)| {
        tree.root.link_metadata(path).unwrap().is_some()
            && tree.root.text(path).unwrap() == *content
            && tree.root.read_link(path).unwrap().is_none()
    };
    planted.iter().filter(is_left).map(|(path, _)| path.clone()).collect()
}

/// The files that still tell of the old instance: its address, MAC or name.
fn telling(tree: &Tree) -> Vec<String> {
    let tells = |text: &str| [ADDRESS, MAC, NAME].iter().any(|word| text.contains(word));
    let files = tree.root.walk("/").unwrap().into_iter();
    files
        .filter(|entry| tells(&tree.root.text(&entry.path).unwrap()))
        .map(|entry| entry.path.display().to_string())
        .collect()
}

#[test]
fn no_trace_is_left_in_debian() {
    let tree = debian();
    let planted = dirty_debian(&tree);
    assert!(planted.len() > 100, "{}", planted.len());
    assert_eq!(left(&tree, &planted).len(), planted.len());
    clean(&tree);
    assert_eq!(left(&tree, &planted), [""; 0]);
    assert_eq!(telling(&tree), [""; 0]);
}

#[test]
fn no_trace_is_left_in_centos() {
    let tree = centos();
    let planted = dirty_red_hat(&tree);
    clean(&tree);
    assert_eq!(left(&tree, &planted), [""; 0]);
    assert_eq!(telling(&tree), [""; 0]);
}

#[test]
fn a_second_cleaning_changes_nothing() {
    for (tree, dirty) in
        [(debian(), dirty_debian as fn(&Tree) -> Planted), (centos(), dirty_red_hat)]
    {
        dirty(&tree);
        clean(&tree);
        let again = tree.does(Task::Clean(Options::default()));
        assert_eq!(again.changes, []);
    }
}

#[test]
fn the_machine_id_is_empty_and_there_is_no_other() {
    let tree = debian();
    dirty_debian(&tree);
    clean(&tree);
    let id = tree.root.metadata("/etc/machine-id").unwrap().unwrap();
    assert_eq!((id.size, id.mode), (0, 0o444));
    let dbus = tree.root.read_link("/var/lib/dbus/machine-id").unwrap();
    assert_eq!(dbus.unwrap().to_str(), Some("/etc/machine-id"));
}

#[test]
fn root_keeps_its_password_unless_it_is_to_be_locked() {
    let tree = debian();
    dirty_debian(&tree);
    clean(&tree);
    let shadow = tree.root.text("/etc/shadow").unwrap();
    assert!(shadow.starts_with("root:$6$old$old:"), "{shadow}");
    assert_eq!(tree.root.metadata("/etc/shadow").unwrap().unwrap().mode, 0o640);
    tree.does(Task::Clean(Options { also: vec!["passwords".into()], ..Options::default() }));
    let shadow = tree.root.text("/etc/shadow").unwrap();
    assert!(shadow.starts_with("root:!:") && shadow.contains("cloud:!:"), "{shadow}");
}

#[test]
fn one_dhcp_client_is_left_without_cloud_init() {
    let tree = centos();
    dirty_red_hat(&tree);
    clean(&tree);
    let scripts = "/etc/sysconfig/network-scripts";
    let card = tree.root.text(format!("{scripts}/ifcfg-eth0")).unwrap();
    assert_eq!(card, "TYPE=Ethernet\nBOOTPROTO=dhcp\nNAME=eth0\nDEVICE=eth0\nONBOOT=yes\n");
    assert_eq!(tree.root.list(scripts).unwrap().len(), 2, "lo and eth0");
}

#[test]
fn logs_that_daemons_open_stay_with_their_modes() {
    let tree = debian();
    dirty_debian(&tree);
    clean(&tree);
    let log = tree.root.metadata("/var/log/auth.log").unwrap().unwrap();
    assert_eq!((log.size, log.mode), (0, 0o640));
    assert!(!tree.root.exists("/var/log/syslog.2.gz").unwrap());
    assert!(tree.root.is_directory("/var/log/journal").unwrap());
}

#[test]
fn a_swap_file_goes_with_its_entry() {
    let tree = debian();
    dirty_debian(&tree);
    clean(&tree);
    assert_eq!(tree.root.text("/etc/fstab").unwrap(), "UUID=0a1b / ext4 errors=remount-ro 0 1\n");
}

#[test]
fn what_is_to_be_kept_is_kept() {
    let tree = debian();
    dirty_debian(&tree);
    let options = Options {
        keep: vec!["/home/cloud/.ssh/authorized_keys".into(), "/var/lib/cloud/data".into()],
        skip: vec!["logs".into()],
        ..Options::default()
    };
    let (_, events) = tree.tells(Task::Clean(options));
    for path in
        ["/home/cloud/.ssh/authorized_keys", "/var/lib/cloud/data/instance-id", "/var/log/syslog.1"]
    {
        assert!(tree.root.exists(path).unwrap(), "{path}");
    }
    assert!(!tree.root.exists("/root/.ssh/authorized_keys").unwrap());
    let skipped =
        |event: &Event| matches!(event, Event::Skipped { operation, .. } if operation == "logs");
    assert!(events.iter().any(skipped));
}

#[test]
fn an_operation_that_does_not_exist_stops_the_job_before_it_begins() {
    let tree = debian();
    let planted = dirty_debian(&tree);
    let options = Options { skip: vec!["machine-id".into()], ..Options::default() };
    let job = guest::job::Job { tasks: vec![Task::Clean(options)], ..Default::default() };
    let why = guest::job::run(&tree.root, None, &job, &mut |_| {}).unwrap_err().to_string();
    assert!(why.contains("machine-id") && why.contains("\"machine_id\""), "{why}");
    assert_eq!(left(&tree, &planted).len(), planted.len());
}

#[test]
fn each_change_is_told_with_its_paths() {
    let tree = debian();
    dirty_debian(&tree);
    let (report, events) = tree.tells(Task::Clean(Options::default()));
    let told: Vec<_> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Changed(change) => Some(change),
            _ => None,
        })
        .collect();
    assert_eq!(told, report.changes);
    let keys = told.iter().find(|change| change.operation == "ssh_host_keys").unwrap();
    assert_eq!(keys.paths.len(), 6);
}
