//! The passwords of people's accounts.

use super::{Cleaning, Operation};
use crate::Result;
use crate::formats::accounts::{Account, accounts, is_locked, with_passwords};

/// See [`Operation::summary`].
pub(super) struct Passwords;

impl Operation for Passwords {
    fn name(&self) -> &'static str {
        "passwords"
    }

    fn summary(&self) -> &'static str {
        "Lock the passwords of root and all regular users"
    }

    fn by_default(&self) -> bool {
        false
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        let passwd = cleaning.edit.root.text("/etc/passwd")?;
        let people: Vec<String> = accounts(&passwd)
            .into_iter()
            .filter(Account::is_persons)
            .map(|account| account.name)
            .collect();
        cleaning.edit.rewrite("/etc/shadow", |shadow| {
            with_passwords(shadow, |name, password| {
                let is_open = people.iter().any(|person| person == name) && !is_locked(password);
                is_open.then(|| "!".into())
            })
        })
    }
}
