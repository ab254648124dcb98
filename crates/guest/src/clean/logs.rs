//! What the old instance wrote down.

use super::{Cleaning, Operation};
use crate::Result;

/// Directories whose files mean nothing when they are empty; the journal's own must stay, or there
/// is no persistent journal any more.
const CONTENTS: &[&str] = &["/var/log/journal", "/var/log/sa", "/var/log/sysstat"];

const LOGS: &str = "/var/log";

/// See [`Operation::summary`].
pub(crate) struct Logs;

impl Operation for Logs {
    fn name(&self) -> &'static str {
        "logs"
    }

    fn summary(&self) -> &'static str {
        "Empty the logs, and remove rotated ones and the journal"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for directory in CONTENTS {
            cleaning.edit.remove_contents(directory)?;
        }
        for entry in cleaning.edit.root.walk(LOGS)? {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
            if is_rotated(&name) {
                cleaning.edit.remove_path(&entry.path)?;
            } else {
                // A daemon may not be allowed to make its file anew.
                cleaning.edit.empty_path(&entry.path)?;
            }
        }
        Ok(())
    }
}

/// Whether a name is one that logrotate gives: `syslog.1`, `syslog.2.gz`, `messages-20231114`.
fn is_rotated(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = |text: &str| text.get(..8).is_some_and(is_number);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["gz", "xz", "bz2", "zst", "old"].contains(&ending)
        || is_number(ending)
        || name.rsplit_once('-').is_some_and(|(_, date)| is_date(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_logs_are_known_by_their_names() {
        for name in ["syslog.1", "syslog.2.gz", "messages-20231114", "dmesg.old", "a-20231114.log"]
        {
            assert!(is_rotated(name), "{name}");
        }
        for name in ["syslog", "cloud-init-output.log", "postgresql-15.log", "-é"] {
            assert!(!is_rotated(name), "{name}");
        }
    }
}
