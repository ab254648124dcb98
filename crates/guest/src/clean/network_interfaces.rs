//! Interface files that are bound to one MAC or address: they give a clone a second address.

use super::{Cleaning, Operation};
use crate::{Result, network};

/// See [`Operation::summary`].
pub(super) struct NetworkInterfaces;

impl Operation for NetworkInterfaces {
    fn name(&self) -> &'static str {
        "network_interfaces"
    }

    fn summary(&self) -> &'static str {
        "Release network cards from the old instance's addresses and MACs"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        network::release(&mut cleaning.edit)
    }
}
