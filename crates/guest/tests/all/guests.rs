//! Trees of files that look like distributions.

use std::path::Path;

use guest::Root;
use guest::job::{Event, Job, Report, Task, run};

/// A guest in a directory that goes when it is dropped.
pub(crate) struct Tree {
    directory: tempfile::TempDir,
    pub(crate) root: Root,
}

impl Tree {
    fn new() -> Tree {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        let tree = Tree { directory, root };
        for (directory, mode) in [("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/root", 0o700)] {
            tree.root.make_directories(directory).unwrap();
            tree.root.chmod(directory, mode).unwrap();
        }
        tree
    }

    /// The tree, as the host sees it.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file with a mode.
    pub(crate) fn plant(&self, path: &str, mode: u32, content: &str) {
        self.root.write(path, content).unwrap();
        self.root.chmod(path, mode).unwrap();
    }

    /// Writes a file as packages do.
    pub(crate) fn file(&self, path: &str, content: &str) {
        self.plant(path, 0o644, content);
    }

    /// Does one task.
    pub(crate) fn does(&self, task: Task) -> Report {
        self.tells(task).0
    }

    /// Does one task, and keeps what it told.
    pub(crate) fn tells(&self, task: Task) -> (Report, Vec<Event>) {
        let mut events = Vec::new();
        let job = Job { tasks: vec![task], ..Job::default() };
        let report = run(&self.root, None, &job, &mut |event| events.push(event)).unwrap();
        (report, events)
    }

    fn unit(&self, name: &str, target: &str) {
        let path = format!("/lib/systemd/system/{name}");
        self.file(&path, &format!("[Unit]\nDescription={name}\n[Install]\nWantedBy={target}\n"));
    }

    /// A unit that starts at boot.
    pub(crate) fn enabled(&self, name: &str) {
        self.unit(name, "multi-user.target");
        let wants = format!("/etc/systemd/system/multi-user.target.wants/{name}");
        self.root.symlink(format!("/lib/systemd/system/{name}"), wants).unwrap();
    }
}

/// Debian 12 with ifupdown and all that a cloud image has, freshly installed.
pub(crate) fn debian() -> Tree {
    let tree = Tree::new();
    tree.file(
        "/etc/os-release",
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
    );
    for program in DEBIAN_PROGRAMS {
        tree.plant(program, 0o755, "a program");
    }
    tree.file("/lib/systemd/systemd", "");
    tree.file("/lib/systemd/system/systemd-logind.service", "[Unit]\n");
    tree.file(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nsshd:x:101:65534::/run/sshd:/bin/false\n",
    );
    tree.plant("/etc/shadow", 0o640, "root:$6$old$old:19675:0:99999:7:::\nsshd:!:19675::::::\n");
    tree.file("/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n");
    tree.file("/etc/fstab", "UUID=0a1b / ext4 errors=remount-ro 0 1\n");
    tree.file("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n");
    tree.file(
        "/etc/network/interfaces",
        "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n",
    );
    tree.file("/etc/cloud/cloud.cfg", CLOUD_CFG);
    tree.file("/etc/cloud/cloud.cfg.d/90_dpkg.cfg", "datasource_list: [ NoCloud, Ec2, None ]\n");
    tree.file(
        "/etc/default/grub",
        "GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n",
    );
    tree.file("/boot/grub/grub.cfg", GRUB_CFG);
    tree.file("/boot/vmlinuz-6.1.0-18-amd64", "a kernel");
    tree.file("/boot/initrd.img-6.1.0-18-amd64", "an initial RAM disk");
    for unit in ["networking", "ssh", "systemd-timesyncd", "cloud-init-local", "cloud-config"] {
        tree.enabled(&format!("{unit}.service"));
    }
    tree.unit("cloud-final.service", "multi-user.target");
    tree
}

const DEBIAN_PROGRAMS: &[&str] = &[
    "/usr/bin/apt-get",
    "/usr/bin/cloud-init",
    "/usr/bin/growpart",
    "/sbin/sgdisk",
    "/sbin/resize2fs",
    "/usr/sbin/sshd",
    "/usr/sbin/qemu-ga",
    "/usr/sbin/acpid",
];

const CLOUD_CFG: &str = "users:\n   - default\ndisable_root: true\ncloud_init_modules:\n - migrator\n - growpart\n - resizefs\n - set_hostname\n - update_etc_hosts\n - users-groups\n - ssh\nsystem_info:\n   distro: debian\n   default_user:\n     name: debian\n     lock_passwd: True\n";

const GRUB_CFG: &str = "set default=0\nset timeout=1\nmenuentry 'Debian GNU/Linux' --class debian {\n\tlinux /boot/vmlinuz-6.1.0-18-amd64 root=UUID=0a1b ro rhgb quiet\n\tinitrd /boot/initrd.img-6.1.0-18-amd64\n}\n";

/// CentOS 7 as its installer leaves it: no cloud-init.
pub(crate) fn centos() -> Tree {
    let tree = Tree::new();
    tree.file("/etc/os-release", "NAME=\"CentOS Linux\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n");
    for program in ["/usr/bin/yum", "/usr/sbin/sshd", "/usr/bin/ssh-keygen"] {
        tree.plant(program, 0o755, "a program");
    }
    tree.file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n");
    tree.file("/usr/lib/systemd/system/sshd-keygen.service", "[Unit]\n");
    tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    tree.plant("/etc/shadow", 0o000, "root:$6$old$old:19675:0:99999:7:::\n");
    tree.file("/etc/hosts", "127.0.0.1   localhost localhost.localdomain\n");
    tree.plant("/etc/ssh/sshd_config", 0o600, "PermitRootLogin no\nUseDNS yes\n");
    tree.file("/etc/sysconfig/network", "# Created by anaconda\n");
    tree.file("/etc/sysconfig/network-scripts/ifcfg-lo", "DEVICE=lo\nIPADDR=127.0.0.1\n");
    tree.file(
        "/etc/sysconfig/network-scripts/ifcfg-eth0",
        "TYPE=Ethernet\nBOOTPROTO=dhcp\nDEVICE=eth0\nONBOOT=yes\n",
    );
    tree.file("/etc/default/grub", "GRUB_TERMINAL_OUTPUT=\"console\"\nGRUB_CMDLINE_LINUX=\"crashkernel=auto rd.lvm.lv=centos/root rhgb quiet\"\n");
    let mut environment = String::from(
        "# GRUB Environment Block\nkernelopts=root=/dev/mapper/centos-root ro rhgb quiet\n",
    );
    environment.push_str(&"#".repeat(1024 - environment.len()));
    tree.file("/boot/grub2/grubenv", &environment);
    tree.file("/boot/grub2/grub.cfg", "set timeout=5\nmenuentry 'CentOS Linux' {\n\tlinux16 /vmlinuz-3.10.0 root=/dev/mapper/centos-root ro rhgb quiet LANG=en_US.UTF-8\n\tinitrd16 /initramfs-3.10.0.img\n}\n");
    tree.file("/boot/loader/entries/a.conf", "title CentOS\noptions $kernelopts\n");
    tree.file("/boot/vmlinuz-3.10.0", "a kernel");
    tree.file("/boot/initramfs-3.10.0.img", "an initial RAM disk");
    tree
}
