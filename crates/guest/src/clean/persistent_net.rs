//! Rules by which udev gives a card's name to one MAC.

use super::{Cleaning, Operation};
use crate::Result;

/// Such rules, by the names that generators and people gave them.
const RULES: &[&str] = &[
    "/etc/udev/rules.d/*persistent-net.rules",
    "/etc/udev/rules.d/*persistent-net-generator.rules",
    "/etc/udev/rules.d/*net-name*.rules",
];

/// udev before 197 writes the rules anew at each boot; a link of this name forbids it.
const GENERATORS: &[&str] = &[
    "/lib/udev/rules.d/75-persistent-net-generator.rules",
    "/usr/lib/udev/rules.d/75-persistent-net-generator.rules",
];

const MASK: &str = "/etc/udev/rules.d/75-persistent-net-generator.rules";

/// See [`Operation::summary`].
pub(crate) struct PersistentNet;

impl Operation for PersistentNet {
    fn name(&self) -> &'static str {
        "persistent_net"
    }

    fn summary(&self) -> &'static str {
        "Remove udev's rules that name cards by their MAC"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for pattern in RULES {
            for path in cleaning.edit.root.glob(pattern)? {
                // A link is a mask, of the generator or of udev's own names.
                if cleaning.edit.root.read_link(&path)?.is_none() {
                    cleaning.edit.remove_path(&path)?;
                }
            }
        }
        for generator in GENERATORS {
            if cleaning.edit.root.is_file(generator)? {
                cleaning.edit.symlink("/dev/null", MASK)?;
            }
        }
        Ok(())
    }
}
