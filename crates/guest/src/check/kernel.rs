//! What the boot loader loads.

use super::{Check, Outcome, Severity};
use crate::{Guest, Result};
/// Debian's, the Red Hat family's, SUSE's names.
const INITRDS: &[(&str, &str)] = &[("initrd.img-", ""), ("initramfs-", ".img"), ("initrd-", "")];

/// systemd-boot's kernels, by machine and version, and those in one piece with their initrd.
const UNIFIED: &[&str] =
    &["/boot/*/*/linux", "/efi/*/*/linux", "/boot/efi/EFI/Linux/*.efi", "/efi/EFI/Linux/*.efi"];

/// See [`Check::title`].
pub(super) struct Kernel;

impl Check for Kernel {
    fn id(&self) -> &'static str {
        "B8"
    }

    fn title(&self) -> &'static str {
        "There is a kernel, and each one has its initial RAM disk"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "install a kernel, or make its initrd: update-initramfs -u, dracut -f"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        for pattern in UNIFIED {
            if !guest.root.glob(pattern)?.is_empty() {
                return Ok(Outcome::Holds);
            }
        }
        let mut problems = Vec::new();
        for version in &guest.os.kernels {
            if is_empty(guest, &format!("/boot/vmlinuz-{version}"))? {
                problems.push(format!("/boot/vmlinuz-{version} is empty"));
            }
            let mut names =
                INITRDS.iter().map(|(start, end)| format!("/boot/{start}{version}{end}"));
            let found = names.try_fold(false, |found, name| {
                Ok::<_, crate::Error>(found || !is_empty(guest, &name)?)
            })?;
            if !found {
                problems.push(format!("kernel {version} has no initrd"));
            }
        }
        if guest.os.kernels.is_empty() {
            problems.push("there is no kernel in /boot".into());
        }
        Ok(Outcome::from_problems(problems))
    }
}

fn is_empty(guest: &Guest<'_>, path: &str) -> Result<bool> {
    Ok(guest.root.metadata(path)?.is_none_or(|found| found.size == 0))
}
