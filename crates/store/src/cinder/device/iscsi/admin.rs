//! open-iscsi, multipath-tools and the kernel, as they are told what to do: iscsiadm(8), multipath(8),
//! multipathd(8), and attributes in sysfs.

use std::path::Path as File;

use super::super::tool::Tools;
use super::target::{Chap, Path};

/// iscsiadm(8), "EXIT STATUS": all is well; the session is there already; there is no such record or
/// session; the target refuses the log-in.
const DONE: i32 = 0;
const IS_THERE: i32 = 15;
const NO_RECORD: i32 = 21;
const REFUSED: i32 = 24;

/// What is told to open-iscsi and to the kernel.
#[derive(Debug, Clone)]
pub(super) struct Admin {
    tools: Tools,
}

impl Admin {
    pub(super) fn new(tools: Tools) -> Self {
        Self { tools }
    }

    /// Logs in to a path's target. No unit of it is looked for: there may be others' as well.
    pub(super) async fn log_in(&self, path: &Path, chap: Option<&Chap>) -> Result<(), String> {
        let portal = &path.portal;
        self.node(path, &["-I", "default", "-o", "new"], &[DONE]).await?;
        self.set(path, "node.session.scan", "manual").await?;
        // After a restart of the host nobody wants it.
        self.set(path, "node.startup", "manual").await?;
        if let Some(chap) = chap {
            self.set(path, "node.session.auth.authmethod", "CHAP").await?;
            self.set(path, "node.session.auth.username", &chap.user).await?;
            self.set(path, "node.session.auth.password", &chap.password).await?;
        }
        let logged_in = self.node(path, &["-l"], &[DONE, IS_THERE, REFUSED]).await?;
        match logged_in {
            REFUSED => Err(format!("the target {} at {portal} refuses the log-in", path.iqn)),
            _ => Ok(()),
        }
    }

    /// Logs out of a path's target, and forgets it.
    pub(super) async fn log_out(&self, path: &Path) -> Result<(), String> {
        self.node(path, &["-u"], &[DONE, NO_RECORD]).await?;
        self.node(path, &["-o", "delete"], &[DONE, NO_RECORD]).await.map(drop)
    }

    /// The other portals of a path's target, as it tells them itself.
    pub(super) async fn portals(&self, path: &Path) -> Result<Vec<Path>, String> {
        let arguments =
            ["-m", "discovery", "-t", "sendtargets", "-p", &path.portal, "-o", "nonpersistent"];
        let found = self.tools.run("iscsiadm", &arguments, "").await?;
        let found = found.expect("iscsiadm's discovery", &[DONE])?;
        Ok(portals(&found.stdout, path))
    }

    /// Sets what open-iscsi knows of a target. It takes values as arguments alone, so that a password is
    /// seen by whoever sees the host's processes; no error tells it.
    async fn set(&self, path: &Path, name: &str, value: &str) -> Result<(), String> {
        let Path { portal, iqn, .. } = path;
        let arguments =
            ["-m", "node", "-T", iqn, "-p", portal, "-o", "update", "-n", name, "-v", value];
        let set = self.tools.run("iscsiadm", &arguments, "").await?;
        set.expect_silently(&format!("iscsiadm to set {name} of {iqn}"))
    }

    async fn node(&self, path: &Path, what: &[&str], codes: &[i32]) -> Result<i32, String> {
        let Path { portal, iqn, .. } = path;
        let arguments = [&["-m", "node", "-T", iqn, "-p", portal], what].concat();
        let ended = self.tools.run("iscsiadm", &arguments, "").await?;
        let what = format!("iscsiadm {} of {iqn} at {portal}", what.join(" "));
        Ok(ended.expect(&what, codes)?.code.unwrap_or_default())
    }

    /// Writes to an attribute of the kernel's.
    pub(super) async fn tell(&self, attribute: &File, value: &str) -> Result<(), String> {
        let shown = attribute.display().to_string();
        let told = self.tools.run("tee", &[&shown], value).await?;
        told.expect(&shown, &[DONE]).map(drop)
    }

    /// Whether multipathd runs. Errors, in words: it does not, and why.
    pub(super) async fn multipathd_runs(&self) -> Result<(), String> {
        let status = self.tools.run("multipathd", &["show", "status"], "").await?;
        let status = status.expect("multipathd show status", &[DONE])?;
        // Some versions fail with status 0.
        match status.stdout.starts_with("error") {
            true => Err(status.stdout.trim().to_owned()),
            false => Ok(()),
        }
    }

    /// Has multipathd take a disk for a path, also where it is the only one: by default it takes none
    /// that it does not know.
    pub(super) async fn add_path(&self, disk: &str) -> Result<(), String> {
        let device = format!("/dev/{disk}");
        let known = self.tools.run("multipath", &["-a", &device], "").await?;
        known.expect("multipath -a", &[DONE])?;
        let added = self.tools.run("multipathd", &["add", "path", disk], "").await?;
        added.expect("multipathd add path", &[DONE]).map(drop)
    }

    /// Removes a map, once what was written to it is with its disks.
    pub(super) async fn remove_map(&self, name: &str) -> Result<(), String> {
        let removed = self.tools.run("multipath", &["-f", name], "").await?;
        removed.expect(&format!("multipath -f {name}"), &[DONE]).map(drop)
    }

    /// Has multipathd learn that the disks of a map have grown.
    pub(super) async fn resize_map(&self, name: &str) -> Result<(), String> {
        let resized = self.tools.run("multipathd", &["resize", "map", name], "").await?;
        resized.expect(&format!("multipathd resize map {name}"), &[DONE]).map(drop)
    }
}

/// The portals of one target that a discovery has found, as lines `ADDRESS:PORT,GROUP NAME`.
fn portals(found: &str, path: &Path) -> Vec<Path> {
    let mut paths = Vec::new();
    for line in found.lines() {
        let Some((portal, iqn)) = line.trim().split_once(' ') else { continue };
        let portal = portal.split(',').next().unwrap_or_default();
        let found = Path { portal: portal.to_owned(), iqn: iqn.to_owned(), lun: path.lun };
        if found.iqn == path.iqn && !path.is_at(&found.portal) && !paths.contains(&found) {
            paths.push(found);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::tool::stand_in::program;
    use super::*;

    fn path() -> Path {
        Path { portal: "10.0.0.1:3260".into(), iqn: "iqn.2010-10.org:v".into(), lun: 1 }
    }

    /// open-iscsi, as it answers to what it is asked last.
    fn admin(folder: &File, answer: &str) -> Admin {
        program(folder, "iscsiadm", &format!("echo \"$*\" >>{}/asked\n{answer}", folder.display()));
        Admin::new(Tools::of_folder(folder))
    }

    #[tokio::test]
    async fn one_logs_in_with_the_user_and_password_that_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let chap = Chap { user: "u".into(), password: "p".into() };
        admin(folder.path(), "").log_in(&path(), Some(&chap)).await.unwrap();
        let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
        let node = "-m node -T iqn.2010-10.org:v -p 10.0.0.1:3260";
        let expected = [
            "-I default -o new",
            "-o update -n node.session.scan -v manual",
            "-o update -n node.startup -v manual",
            "-o update -n node.session.auth.authmethod -v CHAP",
            "-o update -n node.session.auth.username -v u",
            "-o update -n node.session.auth.password -v p",
            "-l",
        ];
        let expected: Vec<_> = expected.iter().map(|what| format!("{node} {what}")).collect();
        assert_eq!(asked.lines().collect::<Vec<_>>(), expected);
    }

    #[tokio::test]
    async fn what_fails_is_told_without_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let chap = Chap { user: "u".into(), password: "secret-1".into() };
        let answers = [
            (
                "case $* in *-l) echo 'iscsiadm: no route' >&2; exit 8;; esac",
                "status 8: iscsiadm: no route",
            ),
            ("case $* in *-l) exit 24;; esac", "refuses the log-in"),
            (
                "case $* in *password*) echo \"$*\" >&2; exit 7;; esac",
                "node.session.auth.password of",
            ),
        ];
        for (answer, expected) in answers {
            let why = admin(folder.path(), answer).log_in(&path(), Some(&chap)).await.unwrap_err();
            assert!(why.contains(expected) && !why.contains("secret-1"), "{why}");
        }
        admin(folder.path(), "case $* in *-l) exit 15;; esac").log_in(&path(), None).await.unwrap();
    }

    #[tokio::test]
    async fn who_is_not_logged_in_is_logged_out() {
        let folder = tempfile::tempdir().unwrap();
        admin(folder.path(), "exit 21").log_out(&path()).await.unwrap();
        assert!(admin(folder.path(), "exit 7").log_out(&path()).await.is_err());
    }

    #[test]
    fn other_portals_of_the_same_target_are_found() {
        let found = "10.0.0.1:3260,1 iqn.2010-10.org:v\n10.0.0.2:3260,1 iqn.2010-10.org:v\n\
                     [fd00::1]:3260,2 iqn.2010-10.org:v\n10.0.0.3:3260,1 iqn.2010-10.org:other\n";
        let found: Vec<_> =
            portals(found, &path()).into_iter().map(|path| (path.portal, path.lun)).collect();
        assert_eq!(found, [("10.0.0.2:3260".to_owned(), 1), ("[fd00::1]:3260".to_owned(), 1)]);
    }

    #[tokio::test]
    async fn multipathd_has_to_run() {
        let folder = tempfile::tempdir().unwrap();
        for (script, runs) in [
            ("echo path checker states:", true),
            ("echo error receiving packet", false),
            ("exit 1", false),
        ] {
            program(folder.path(), "multipathd", script);
            let admin = Admin::new(Tools::of_folder(folder.path()));
            assert_eq!(admin.multipathd_runs().await.is_ok(), runs, "{script}");
        }
    }
}
