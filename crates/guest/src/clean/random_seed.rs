//! Seeds of random numbers: clones would start with the same.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/lib/systemd/random-seed",
    "/var/lib/systemd/credential.secret",
    "/var/lib/urandom/random-seed",
    "/var/lib/random-seed",
    "/var/lib/misc/random-seed",
    "/var/lib/seedrng/*",
    "/boot/loader/random-seed",
    "/boot/efi/loader/random-seed",
    "/efi/loader/random-seed",
];

/// See [`Operation::summary`].
pub(crate) struct RandomSeed;

impl Operation for RandomSeed {
    fn name(&self) -> &'static str {
        "random_seed"
    }

    fn summary(&self) -> &'static str {
        "Remove stored random seeds and systemd's credential secret"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
