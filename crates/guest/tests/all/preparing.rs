use guest::job::Task;
use guest::prepare::{Options, Password};

use crate::guests::{Tree, centos, debian};

/// All but packages, which have tests of their own with programs to call.
fn options() -> Options {
    Options { packages: Vec::new(), ..Options::default() }
}

fn prepare(tree: &Tree, options: Options) {
    tree.does(Task::Prepare(options.clone()));
    let again = tree.does(Task::Prepare(options));
    assert_eq!(again.changes, [], "a second time changes something");
}

fn text(tree: &Tree, path: &str) -> String {
    tree.root.text(path).unwrap()
}

#[test]
fn every_command_line_of_debian_speaks_on_the_serial_port() {
    let tree = debian();
    prepare(&tree, options());
    let grub = text(&tree, "/boot/grub/grub.cfg");
    let line = "root=UUID=0a1b ro console=tty0 console=ttyS0,115200n8\n";
    assert!(grub.contains(line), "{grub}");
    assert!(grub.contains("terminal_output console serial\nmenuentry"), "{grub}");
    let defaults = text(&tree, "/etc/default/grub");
    assert!(defaults.contains("GRUB_CMDLINE_LINUX=\"console=tty0 console=ttyS0,115200n8\"\n"));
    assert!(defaults.contains("GRUB_CMDLINE_LINUX_DEFAULT=\"\"\n"), "{defaults}");
    assert!(defaults.contains("GRUB_TERMINAL=\"console serial\"\n"), "{defaults}");
}

#[test]
fn every_command_line_of_centos_speaks_on_the_serial_port() {
    let tree = centos();
    prepare(&tree, options());
    let grub = text(&tree, "/boot/grub2/grub.cfg");
    assert!(grub.contains("ro LANG=en_US.UTF-8 console=tty0 console=ttyS0,115200n8\n"), "{grub}");
    let environment = text(&tree, "/boot/grub2/grubenv");
    assert!(environment.contains("centos-root ro console=tty0 console=ttyS0,115200n8\n"));
    assert_eq!(environment.len(), 1024);
    assert_eq!(text(&tree, "/boot/loader/entries/a.conf"), "title CentOS\noptions $kernelopts\n");
    assert!(!text(&tree, "/etc/default/grub").contains("GRUB_TERMINAL_OUTPUT"));
    assert!(text(&tree, "/etc/sysconfig/network").contains("NOZEROCONF=yes\n"));
}

#[test]
fn what_is_not_asked_for_is_not_changed() {
    let tree = debian();
    let nothing = Options {
        datasources: Vec::new(),
        serial_console: false,
        verbose_boot: false,
        dhcp: false,
        skip: vec!["services".into()],
        ..options()
    };
    assert_eq!(tree.does(Task::Prepare(nothing)).changes, []);
}

#[test]
fn log_in_is_as_asked_for_in_both_places() {
    let tree = debian();
    let asked = Options { root_login: Some(true), password_login: Some(true), ..options() };
    prepare(&tree, asked);
    let sshd = text(&tree, "/etc/ssh/sshd_config.d/00-tintype.conf");
    assert_eq!(sshd, "PermitRootLogin yes\nPasswordAuthentication yes\n");
    let cloud = text(&tree, "/etc/cloud/cloud.cfg.d/99-tintype-login.cfg");
    assert!(cloud.contains("disable_root: false") && cloud.contains("ssh_pwauth: true"), "{cloud}");

    let tree = centos();
    prepare(&tree, Options { root_login: Some(true), ..options() });
    assert!(text(&tree, "/etc/ssh/sshd_config").starts_with("PermitRootLogin yes\n"));
    assert!(!tree.root.exists("/etc/cloud").unwrap());
}

#[test]
fn roots_password_is_hashed_and_its_file_stays_secret() {
    let tree = centos();
    let password = Some(Password("correct horse".into()));
    prepare(&tree, Options { root_password: password, ..options() });
    let shadow = text(&tree, "/etc/shadow");
    let field = shadow.split(':').nth(1).unwrap();
    assert!(field.starts_with("$6$") && field != "$6$old$old", "{field}");
    assert!(!shadow.contains("horse"));
    assert_eq!(tree.root.metadata("/etc/shadow").unwrap().unwrap().mode, 0);
}

#[test]
fn cloud_init_gets_its_sources_and_the_network() {
    let tree = debian();
    tree.file("/etc/cloud/cloud-init.disabled", "");
    tree.file(
        "/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg",
        "network: {config: disabled}\n",
    );
    let bare = "auto lo\niface lo inet loopback\nallow-hotplug eth0\niface eth0 inet dhcp\n";
    tree.file("/etc/network/interfaces", bare);
    prepare(&tree, options());
    assert_eq!(
        text(&tree, "/etc/cloud/cloud.cfg.d/99-tintype-datasources.cfg"),
        "datasource_list: [ ConfigDrive, OpenStack, Ec2, NoCloud, None ]\n"
    );
    assert!(!tree.root.exists("/etc/cloud/cloud-init.disabled").unwrap());
    assert_eq!(
        text(&tree, "/etc/network/interfaces"),
        "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n"
    );
    let wants = "/etc/systemd/system/multi-user.target.wants/cloud-final.service";
    assert!(tree.root.read_link(wants).unwrap().is_some());
}

#[test]
fn a_guest_without_cloud_init_makes_its_own_keys() {
    let tree = debian();
    tree.root.remove("/usr/bin/cloud-init").unwrap();
    tree.file("/usr/bin/ssh-keygen", "");
    prepare(&tree, options());
    let wants = "/etc/systemd/system/multi-user.target.wants/ssh-host-keys.service";
    assert!(tree.root.is_file(wants).unwrap());
}

#[test]
fn a_time_zone_must_be_one() {
    let tree = debian();
    tree.file("/usr/share/zoneinfo/Europe/Berlin", "TZif2");
    tree.file("/etc/timezone", "Etc/UTC\n");
    prepare(&tree, Options { timezone: Some("Europe/Berlin".into()), ..options() });
    let link = tree.root.read_link("/etc/localtime").unwrap().unwrap();
    assert_eq!(link.to_str(), Some("/usr/share/zoneinfo/Europe/Berlin"));
    assert_eq!(text(&tree, "/etc/timezone"), "Europe/Berlin\n");

    for wrong in ["Europe/Atlantis", "../../../etc/passwd", ""] {
        let task = Task::Prepare(Options { timezone: Some(wrong.into()), ..options() });
        let job = guest::job::Job { tasks: vec![task], ..Default::default() };
        let why = guest::job::run(&tree.root, None, &job, &mut |_| {}).unwrap_err();
        assert!(why.to_string().contains("time zone"), "{why}");
    }
}
