//! Root's password.

use super::{Operation, Preparation};
use sha_crypt::{PasswordHasher, PasswordVerifier, ShaCrypt};

use crate::formats::accounts::{passwords, with_passwords};
use crate::{Error, Result};
const SHADOW: &str = "/etc/shadow";

/// See [`Operation::summary`].
pub(super) struct RootPassword;

impl Operation for RootPassword {
    fn name(&self) -> &'static str {
        "root_password"
    }

    fn summary(&self) -> &'static str {
        "Give root the password that was asked for"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let Some(password) = &preparation.options.root_password else { return Ok(()) };
        let shadow = preparation.edit.root.read_text(SHADOW)?.unwrap_or_default();
        let Some((_, present)) = passwords(&shadow).find(|(name, _)| *name == "root") else {
            return Err(Error::Impossible(format!("{SHADOW} has no entry for root")));
        };
        if ShaCrypt::SHA512.verify_password(password.0.as_bytes(), present).is_ok() {
            return Ok(());
        }
        let hash = ShaCrypt::SHA512.hash_password(password.0.as_bytes()).map_err(|why| {
            Error::Impossible(format!("the root password cannot be hashed: {why}"))
        })?;
        let is_root = |name: &str| name == "root";
        let new = with_passwords(&shadow, |name, _| is_root(name).then(|| hash.as_str().into()));
        preparation.edit.write(SHADOW, new)
    }
}
