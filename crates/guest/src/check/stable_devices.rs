//! Names of disks: `/dev/sda1` is `/dev/vda1` on another bus.

use super::{Check, Outcome, Severity};
use crate::formats::fstab;
use crate::system::boot;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct StableDevices;

impl Check for StableDevices {
    fn id(&self) -> &'static str {
        "B5"
    }

    fn title(&self) -> &'static str {
        "Disks are named by UUID, label or volume"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "write UUID=… in fstab and root=UUID=… on the kernel's command line"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = Vec::new();
        for entry in fstab::entries(&guest.root.text("/etc/fstab")?) {
            if is_unstable(entry.device) && !entry.has_option("nofail") {
                problems.push(format!("/etc/fstab: {}", entry.device));
            }
        }
        for line in boot::lines(guest.root)? {
            let words = line.arguments.split_whitespace();
            for device in words.filter_map(|word| word.strip_prefix("root=")) {
                if is_unstable(device) {
                    problems.push(format!("{}: root={device}", line.path.display()));
                }
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}

/// Whether the name depends on the bus and the order of the disks.
fn is_unstable(device: &str) -> bool {
    ["/dev/sd", "/dev/vd", "/dev/xvd", "/dev/hd", "/dev/nvme"]
        .iter()
        .any(|start| device.starts_with(start))
}
