use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::*;

/// A host with a secret beside the guest's root.
fn host() -> (tempfile::TempDir, Root) {
    let host = tempfile::tempdir().unwrap();
    fs::create_dir_all(host.path().join("guest/etc")).unwrap();
    fs::create_dir_all(host.path().join("secrets")).unwrap();
    fs::write(host.path().join("secrets/key"), "the host's").unwrap();
    let root = Root::open(host.path().join("guest")).unwrap();
    (host, root)
}

fn untouched(host: &Path) {
    assert_eq!(fs::read_to_string(host.join("secrets/key")).unwrap(), "the host's");
    assert_eq!(fs::read_dir(host.join("secrets")).unwrap().count(), 1);
}

#[test]
fn no_link_leads_to_the_host() {
    let (host, root) = host();
    let guest = host.path().join("guest");
    let absolute = host.path().join("secrets");
    for (number, target) in
        [Path::new("../../secrets"), &absolute, Path::new("/../../../secrets")].iter().enumerate()
    {
        let link = format!("escape{number}");
        symlink(target, guest.join(&link)).unwrap();
        symlink(target.join("key"), guest.join(format!("{link}.file"))).unwrap();

        assert_eq!(root.read(format!("/{link}/key")).unwrap(), None);
        assert_eq!(root.read(format!("/{link}.file")).unwrap(), None);
        assert!(root.list(format!("/{link}")).unwrap().is_empty());
        assert!(root.glob(&format!("/{link}/*")).unwrap().is_empty());
        assert!(!root.remove(format!("/{link}/key")).unwrap());
        // Where the link leads inside the root there is nothing, and no directory is made for it.
        assert!(root.write(format!("/{link}.file"), "changed").is_err());
        assert!(root.symlink("/x", format!("/{link}/new")).is_err());
        assert!(root.remove(format!("/{link}")).unwrap());
        untouched(host.path());
    }
}

#[test]
fn dots_stop_at_the_root() {
    let (host, root) = host();
    assert_eq!(root.read("../secrets/key").unwrap(), None);
    assert_eq!(root.read("/etc/../../secrets/key").unwrap(), None);
    assert!(!root.remove("../secrets").unwrap());
    assert!(root.write("..", "x").is_err());
    untouched(host.path());
}

#[test]
fn an_absolute_link_starts_at_the_root() {
    let (host, root) = host();
    let guest = host.path().join("guest");
    fs::create_dir_all(guest.join("run/resolve")).unwrap();
    symlink("/run/resolve/stub", guest.join("etc/resolv.conf")).unwrap();
    root.write("/etc/resolv.conf", "nameserver 10.0.2.3\n").unwrap();
    assert_eq!(
        fs::read_to_string(guest.join("run/resolve/stub")).unwrap(),
        "nameserver 10.0.2.3\n"
    );
    assert_eq!(root.text("etc/resolv.conf").unwrap(), "nameserver 10.0.2.3\n");
    assert!(guest.join("etc/resolv.conf").is_symlink());
}

#[test]
fn a_circle_of_links_is_nothing() {
    let (host, root) = host();
    let guest = host.path().join("guest");
    symlink("b", guest.join("a")).unwrap();
    symlink("a", guest.join("b")).unwrap();
    assert_eq!(root.read("/a").unwrap(), None);
    assert!(root.write("/a", "x").is_err());
}

#[test]
fn removing_a_tree_removes_its_links_not_what_they_mean() {
    let (host, root) = host();
    let guest = host.path().join("guest");
    fs::create_dir_all(guest.join("tmp/deep/er")).unwrap();
    fs::write(guest.join("etc/keep"), "x").unwrap();
    symlink(host.path().join("secrets"), guest.join("tmp/deep/out")).unwrap();
    symlink("/etc", guest.join("tmp/etc")).unwrap();
    assert!(root.remove("/tmp").unwrap());
    assert!(!root.remove("/tmp").unwrap());
    assert!(guest.join("etc/keep").exists());
    untouched(host.path());
}

#[test]
fn a_tree_without_an_end_is_refused() {
    let (_host, root) = host();
    let mut path = String::from("/deep");
    for _ in 0..250 {
        root.make_directories(&path).unwrap();
        path.push_str("/d");
    }
    assert!(matches!(root.remove("/deep"), Err(Error::TooDeep { .. })));
}

#[test]
fn a_pipe_is_not_opened() {
    let (host, root) = host();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        host.path().join("guest/pipe"),
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    assert_eq!(root.read("/pipe").unwrap(), None);
    assert!(root.write("/pipe", "x").is_err());
}

#[test]
fn a_new_content_keeps_mode_and_owner() {
    let (host, root) = host();
    let file = host.path().join("guest/etc/shadow");
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let owned = std::os::unix::fs::chown(&file, Some(12), Some(34)).is_ok();
    root.write("/etc/shadow", "new").unwrap();
    let now = fs::metadata(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert_eq!(now.mode() & 0o7777, 0o640);
    // Only root can give files away.
    if owned {
        assert_eq!((now.uid(), now.gid()), (12, 34));
    }
    assert_eq!(fs::read_dir(host.path().join("guest/etc")).unwrap().count(), 1);
}

#[test]
fn a_new_content_keeps_extended_attributes() {
    let (host, root) = host();
    let file = host.path().join("guest/etc/motd");
    fs::write(&file, "old").unwrap();
    let set = rustix::fs::setxattr(&file, "user.label", b"etc_t", XattrFlags::empty());
    // Not each file system has them.
    if set.is_err() {
        return;
    }
    root.write("/etc/motd", "new").unwrap();
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(&file, "user.label", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"etc_t");
}

#[test]
fn a_new_file_has_the_mode_that_is_asked_for() {
    let (host, root) = host();
    root.write_new("/etc/a/b/secret", "x", 0o600).unwrap();
    let mode = |path: &str| fs::metadata(host.path().join("guest").join(path)).unwrap().mode();
    assert_eq!(mode("etc/a/b/secret") & 0o7777, 0o600);
    assert_eq!(mode("etc/a/b") & 0o7777, 0o755);
}

#[test]
fn patterns_find_paths() {
    let (_host, root) = host();
    for path in ["/home/ann/.x", "/home/bob/.x", "/home/.hidden/.x", "/home/bob/y"] {
        root.write(path, "").unwrap();
    }
    let found = |pattern: &str| -> Vec<String> {
        root.glob(pattern).unwrap().iter().map(|path| path.display().to_string()).collect()
    };
    assert_eq!(found("/home/*/.x"), ["/home/ann/.x", "/home/bob/.x"]);
    assert_eq!(found("/home/bob/*"), ["/home/bob/y"]);
    assert_eq!(found("/none/*"), [""; 0]);
    assert_eq!(root.walk("/home").unwrap().len(), 4);
}

use rustix::fs::XattrFlags;
