//! Passwords and tokens that tools keep in home directories.

use super::{Cleaning, Operation};
use crate::Result;
use crate::system::homes::homes;

/// In each home directory; a directory goes with all that is in it.
const FILES: &[&str] = &[
    ".netrc",
    ".git-credentials",
    ".config/git/credentials",
    ".docker",
    ".config/containers/auth.json",
    ".kube",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/openstack",
    ".config/gh",
    ".config/hub",
    ".config/rclone",
    ".config/doctl",
    ".oci",
    ".boto",
    ".s3cfg",
    ".gnupg",
    ".password-store",
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    ".npmrc",
    ".pypirc",
    ".cargo/credentials*",
    ".gem/credentials",
    ".m2/settings.xml",
    ".terraform.d/credentials.tfrc.json",
    ".vault-token",
    ".ansible/cp",
    ".smbcredentials",
    ".Xauthority",
    ".ICEauthority",
    ".config/pulse/cookie",
];

/// See [`Operation::summary`].
pub(crate) struct UserSecrets;

impl Operation for UserSecrets {
    fn name(&self) -> &'static str {
        "user_secrets"
    }

    fn summary(&self) -> &'static str {
        "Remove credentials of clouds, registries and services from home directories"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for home in homes(cleaning.edit.root)? {
            for name in FILES {
                cleaning.edit.remove(&format!("{home}/{name}"))?;
            }
        }
        Ok(())
    }
}
