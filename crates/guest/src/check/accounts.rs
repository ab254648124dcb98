//! People's accounts that an image brings along.

use super::{Check, Outcome, Severity};
use crate::formats::accounts::{Account, accounts};
use crate::system::cloud_init;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct Accounts;

impl Check for Accounts {
    fn id(&self) -> &'static str {
        "I6"
    }

    fn title(&self) -> &'static str {
        "There are no accounts of people but root and cloud-init's user"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "remove the account: userdel -r NAME in the guest"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let (settings, _) = cloud_init::settings(guest.root)?;
        let wanted = settings["system_info"]["default_user"]["name"].as_str().unwrap_or_default();
        let others = accounts(&guest.root.text("/etc/passwd")?)
            .into_iter()
            .filter(Account::is_regular)
            .filter(|account| account.name != wanted);
        Ok(Outcome::from_problems(
            others.map(|account| format!("{} ({})", account.name, account.uid)),
        ))
    }
}
