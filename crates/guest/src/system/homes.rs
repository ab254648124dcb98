//! Where people keep their files.

use std::collections::BTreeSet;

use crate::formats::accounts::accounts;
use crate::{Result, Root};

/// The home directories of root and the regular users, and what else is in `/home`.
pub(crate) fn homes(root: &Root) -> Result<Vec<String>> {
    let mut homes: BTreeSet<String> = accounts(&root.text("/etc/passwd")?)
        .into_iter()
        .filter(|account| account.is_persons())
        .map(|account| account.home)
        .filter(|home| home.starts_with('/') && home.len() > 1)
        .collect();
    homes.insert("/root".into());
    homes.extend(root.glob("/home/*")?.iter().map(|path| path.display().to_string()));
    Ok(homes.into_iter().collect())
}
