//! Swap space in a file: memory of the old instance, and a large part of the image.

use super::{Cleaning, Operation};
use crate::Result;
use crate::formats::fstab;

/// Where distributions and clouds put them.
const USUAL: &[&str] = &["/swapfile", "/swap.img", "/var/swapfile"];

const FSTAB: &str = "/etc/fstab";

/// See [`Operation::summary`].
pub(crate) struct Swapfile;

impl Operation for Swapfile {
    fn name(&self) -> &'static str {
        "swapfile"
    }

    fn summary(&self) -> &'static str {
        "Remove swap files and their entries in fstab"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        let table = cleaning.edit.root.read_text(FSTAB)?.unwrap_or_default();
        let listed = fstab::entries(&table).filter(|entry| entry.is_swap_file());
        let files: Vec<&str> =
            listed.map(|entry| entry.device).chain(USUAL.iter().copied()).collect();
        for file in files {
            cleaning.edit.remove(file)?;
        }
        let is_kept = |entry: &fstab::Entry<'_>| cleaning.edit.keeps(entry.device);
        let table = fstab::without(&table, |entry| entry.is_swap_file() && !is_kept(entry));
        if cleaning.edit.root.is_file(FSTAB)? { cleaning.edit.write(FSTAB, table) } else { Ok(()) }
    }
}
