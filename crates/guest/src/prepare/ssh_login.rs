//! Who may log in over SSH, and how.

use super::{Operation, Preparation};
use crate::formats::sshd_config::{includes, set};
use crate::system::cloud_init::{DROP_INS, is_installed};
use crate::{Edit, Result};
const SSHD: &str = "/etc/ssh/sshd_config";

/// The first setting counts, so this name is before all others that are in use.
const SSHD_DROP_IN: &str = "/etc/ssh/sshd_config.d/00-tintype.conf";

const CLOUD_DROP_IN: &str = "99-tintype-login.cfg";

/// See [`Operation::summary`].
pub(super) struct SshLogin;

impl Operation for SshLogin {
    fn name(&self) -> &'static str {
        "ssh_login"
    }

    fn summary(&self) -> &'static str {
        "Set who may log in over SSH, and how"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let (root, password) = (preparation.options.root_login, preparation.options.password_login);
        if root.is_none() && password.is_none() {
            return Ok(());
        }
        if is_installed(preparation.edit.root)? {
            let file = format!("{DROP_INS}/{CLOUD_DROP_IN}");
            preparation.edit.write(file, cloud_config(root, password))?;
        }
        set_sshd(&mut preparation.edit, &sshd_settings(root, password))
    }
}

fn cloud_config(root: Option<bool>, password: Option<bool>) -> String {
    let root = root.map(|root| format!("disable_root: {}\n", !root));
    // Debian's and others' default user is locked even where passwords are accepted.
    let password = password.map(|password| {
        format!(
            "ssh_pwauth: {password}\nsystem_info:\n  default_user:\n    lock_passwd: {}\n",
            !password
        )
    });
    [root, password].into_iter().flatten().collect()
}

fn sshd_settings(root: Option<bool>, password: Option<bool>) -> Vec<(&'static str, &'static str)> {
    let yes_or_no = |yes: bool| if yes { "yes" } else { "no" };
    let root = root.map(|root| match (root, password) {
        // Root's key is enough where nobody else has a password.
        (true, Some(false)) => "prohibit-password",
        (root, _) => yes_or_no(root),
    });
    let root = root.map(|value| ("PermitRootLogin", value));
    let password = password.map(|value| ("PasswordAuthentication", yes_or_no(value)));
    [root, password].into_iter().flatten().collect()
}

/// In a file of its own where the main one includes such files, else in the main one.
fn set_sshd(edit: &mut Edit<'_>, settings: &[(&str, &str)]) -> Result<()> {
    let Some(main) = edit.root.read_text(SSHD)? else { return Ok(()) };
    if includes(&main).iter().any(|pattern| pattern.starts_with("/etc/ssh/sshd_config.d/")) {
        let text = settings.iter().map(|(key, value)| format!("{key} {value}\n"));
        return edit.write_new(SSHD_DROP_IN, text.collect::<String>(), 0o600);
    }
    let new = settings.iter().fold(main, |text, (key, value)| set(&text, key, value));
    edit.write(SSHD, new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Root;
    use crate::formats::{sshd_config, yaml};

    #[test]
    fn cloud_init_is_told_the_same_as_sshd() {
        let config = yaml::parse(&cloud_config(Some(true), Some(true))).unwrap();
        assert_eq!(config["disable_root"], false);
        assert_eq!(config["ssh_pwauth"], true);
        assert_eq!(config["system_info"]["default_user"]["lock_passwd"], false);
        assert_eq!(
            sshd_settings(Some(true), Some(false)),
            [("PermitRootLogin", "prohibit-password"), ("PasswordAuthentication", "no")]
        );
        assert_eq!(sshd_settings(None, Some(true)), [("PasswordAuthentication", "yes")]);
    }

    #[test]
    fn the_setting_goes_where_sshd_reads_it_first() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.write(SSHD, "PermitRootLogin no\n").unwrap();
        set_sshd(&mut Edit::new(&root, &[]), &[("PermitRootLogin", "yes")]).unwrap();
        assert_eq!(sshd_config::get(&root.text(SSHD).unwrap(), "PermitRootLogin"), Some("yes"));

        root.write(SSHD, "Include /etc/ssh/sshd_config.d/*.conf\n").unwrap();
        set_sshd(&mut Edit::new(&root, &[]), &[("PermitRootLogin", "yes")]).unwrap();
        assert_eq!(root.text(SSHD_DROP_IN).unwrap(), "PermitRootLogin yes\n");
    }
}
