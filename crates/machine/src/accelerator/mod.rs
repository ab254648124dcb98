//! What runs a guest's instructions: the processor through KVM, or QEMU's emulation.
//!
//! `/dev/kvm` proves nothing: nested hosts exist where it opens, makes virtual processors, and
//! then emulates a kernel instruction by instruction, or aborts. So a guest is really run, under a
//! watchdog, once for each boot of the host.

mod first_sector;
mod memory;
mod probe;

use std::env;
use std::fmt;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use crate::kernel::Kernel;
use crate::qemu::Program;
use crate::{Cancel, Error, Result, cache};
use memory::Memory;

/// Overrides the probe: `kvm` or `tcg`.
pub const VARIABLE: &str = "TINTYPE_ACCEL";

const DEVICE: &str = "/dev/kvm";

/// What runs a guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor, through Linux's KVM.
    Kvm,
    /// QEMU's emulation: works everywhere, some ten times slower.
    Tcg,
}

impl Accelerator {
    /// QEMU's argument of `-accel`.
    pub(crate) fn argument(self) -> &'static str {
        match self {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
        }
    }

    /// QEMU's argument of `-cpu`: everything that can be had.
    pub(crate) fn processor(self) -> &'static str {
        match self {
            Accelerator::Kvm => "host",
            Accelerator::Tcg => "max",
        }
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Accelerator::Kvm => "KVM",
            Accelerator::Tcg => "emulation",
        })
    }
}

/// An accelerator, and why this one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Choice {
    /// What to use.
    pub accelerator: Accelerator,
    /// Why, for the person who waits: "KVM ran a kernel in 0.4 s", "/dev/kvm opens, but …".
    pub reason: String,
    /// Whether the answer was found earlier since the host booted. The caller tells the reason
    /// only when it was not: once is enough.
    pub remembered: bool,
}

/// Chooses: what [`VARIABLE`] says, else what is remembered for this boot of the host and this
/// QEMU, else what a probe of at most three seconds finds. The probe starts the appliance's kernel
/// when there is one: some hosts run firmware well and hang in any real kernel. Without one it
/// starts a boot sector, and its yes is not remembered.
///
/// # Errors
/// [`Error::ProgramMissing`] without QEMU; [`Error::Cancelled`]. A probe that fails is an answer,
/// not an error.
pub fn choose(kernel: Option<&Kernel>, cancel: &Cancel) -> Result<Choice> {
    if let Some(choice) = overridden(env::var(VARIABLE).ok().as_deref())? {
        return Ok(choice);
    }
    let opened = OpenOptions::new().read(true).write(true).open(DEVICE);
    let memory = Memory::of(&cache::folder(), Program::find()?, kernel, opened.is_ok());
    if let Some(choice) = memory.recall() {
        return Ok(choice);
    }
    let choice = match (opened, kernel) {
        (Err(why), _) => fresh(Accelerator::Tcg, closed(&why)),
        (Ok(_), Some(kernel)) => probe::with_kernel(kernel, cancel)?,
        (Ok(_), None) => probe::with_first_sector(cancel)?,
    };
    if kernel.is_some() || choice.accelerator == Accelerator::Tcg {
        memory.keep(&choice);
    }
    Ok(choice)
}

/// Forgets what is remembered, so that the next [`choose`] probes.
pub fn forget() {
    Memory::clear(&cache::folder());
}

fn overridden(value: Option<&str>) -> Result<Option<Choice>> {
    let accelerator = match value {
        None | Some("" | "auto") => return Ok(None),
        Some("kvm") => Accelerator::Kvm,
        Some("tcg") => Accelerator::Tcg,
        Some(other) => {
            return Err(Error::Program {
                program: VARIABLE.into(),
                message: format!("`{other}` is neither `kvm`, `tcg` nor `auto`"),
            });
        }
    };
    let reason = format!("{VARIABLE} says so");
    Ok(Some(Choice { accelerator, reason, remembered: true }))
}

/// Why the device cannot be opened, and what helps.
fn closed(why: &std::io::Error) -> String {
    match why.kind() {
        ErrorKind::NotFound => format!("there is no {DEVICE}"),
        ErrorKind::PermissionDenied => {
            format!("{DEVICE} is not for this user: only members of its group, `kvm`, may open it")
        }
        _ => format!("{DEVICE} cannot be opened ({why})"),
    }
}

fn fresh(accelerator: Accelerator, reason: String) -> Choice {
    Choice { accelerator, reason, remembered: false }
}

/// The identity of this boot of the host (`random(4)`: `boot_id` is made once per boot).
fn boot_id() -> String {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_decides_alone() {
        assert_eq!(overridden(Some("tcg")).unwrap().unwrap().accelerator, Accelerator::Tcg);
        assert_eq!(overridden(Some("kvm")).unwrap().unwrap().accelerator, Accelerator::Kvm);
        assert_eq!(overridden(Some("auto")).unwrap(), None);
        assert_eq!(overridden(None).unwrap(), None);
    }

    #[test]
    fn an_unknown_value_of_the_variable_is_refused() {
        assert!(overridden(Some("xen")).unwrap_err().to_string().contains("xen"));
    }
}
