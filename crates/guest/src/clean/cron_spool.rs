//! Jobs that users planned.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/spool/cron/crontabs/*",
    "/var/spool/cron/atjobs/*",
    "/var/spool/cron/atspool/*",
    "/var/spool/at/*",
    "/var/spool/at/spool/*",
    "/var/spool/anacron/*",
];

/// See [`Operation::summary`].
pub(crate) struct CronSpool;

impl Operation for CronSpool {
    fn name(&self) -> &'static str {
        "cron_spool"
    }

    fn summary(&self) -> &'static str {
        "Remove users' cron tables and at jobs"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for pattern in FILES {
            for path in cleaning.edit.root.glob(pattern)? {
                // The directory of at's output stands among its jobs.
                if !cleaning.edit.root.is_directory(&path)? {
                    cleaning.edit.remove_path(&path)?;
                }
            }
        }
        // Red Hat's tables stand where the others have their directories.
        for path in cleaning.edit.root.glob("/var/spool/cron/*")? {
            if cleaning.edit.root.is_file(&path)? {
                cleaning.edit.remove_path(&path)?;
            }
        }
        Ok(())
    }
}
