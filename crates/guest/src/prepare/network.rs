//! Network cards that belong to cloud-init, and so to DHCP.

use super::{Operation, Preparation};
use crate::{Result, network};

/// See [`Operation::summary`].
pub(super) struct Network;

impl Operation for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn summary(&self) -> &'static str {
        "Leave each network card to DHCP"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        if !preparation.options.dhcp {
            return Ok(());
        }
        network::release(&mut preparation.edit)
    }
}
