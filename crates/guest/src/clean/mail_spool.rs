//! Mail that was delivered here, or waits to be sent.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/mail/*",
    "/var/spool/mail/*",
    "/var/spool/clientmqueue/*",
    "/var/spool/mqueue/*",
    "/var/spool/exim4/input/*",
    "/var/spool/exim4/msglog/*",
    "/root/mbox",
    "/root/dead.letter",
];

/// See [`Operation::summary`].
pub(crate) struct MailSpool;

impl Operation for MailSpool {
    fn name(&self) -> &'static str {
        "mail_spool"
    }

    fn summary(&self) -> &'static str {
        "Remove mail"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))?;
        for queue in
            ["active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "maildrop"]
        {
            cleaning.edit.remove_contents(&format!("/var/spool/postfix/{queue}"))?;
        }
        Ok(())
    }
}
