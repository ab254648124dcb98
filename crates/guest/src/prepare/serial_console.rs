//! The serial port: what a cloud shows as an instance's console log.

use super::{Operation, Preparation};
use crate::formats::assignments;
use crate::system::boot::{self, GRUB, Wish};
use crate::{Edit, Init, Result};
/// The first serial port of each kind of machine. The last console named is the one that init and
/// cloud-init write to.
const CONSOLES: &[(&str, &[&str])] = &[
    ("aarch64", &["console=tty0", "console=ttyAMA0"]),
    ("ppc64le", &["console=tty0", "console=hvc0"]),
    ("riscv64", &["console=tty0", "console=ttyS0"]),
    ("s390x", &[]),
];

/// 115200 baud is what QEMU's users and clouds expect; the port itself does not care.
const USUAL: &[&str] = &["console=tty0", "console=ttyS0,115200n8"];

/// Other spellings, which would come before or after ours.
const OTHERS: &[&str] = &[
    "console=tty1",
    "console=ttyS0",
    "console=ttyS0,9600",
    "console=ttyS0,115200",
    "console=ttyS0,115200n8r",
    "console=ttyAMA0,115200",
];

const SERIAL: &str = "serial --unit=0 --speed=115200";

const DEFAULTS: &str = "/etc/default/grub";

const INITTAB: &str = "/etc/inittab";

/// See [`Operation::summary`].
pub(super) struct SerialConsole;

impl Operation for SerialConsole {
    fn name(&self) -> &'static str {
        "serial_console"
    }

    fn summary(&self) -> &'static str {
        "Let kernel, GRUB and log-in speak on the serial port"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        if !preparation.options.serial_console {
            return Ok(());
        }
        let consoles = consoles(preparation.os.architecture.as_deref());
        let (edit, init) = (&mut preparation.edit, preparation.os.init);
        edit.rewrite(DEFAULTS, with_command_line)?;
        let others: Vec<&str> =
            OTHERS.iter().copied().filter(|word| !consoles.contains(word)).collect();
        if !consoles.is_empty() {
            boot::change(edit, Wish { add: consoles, remove: &others })?;
        }
        if consoles == USUAL {
            grub_terminal(edit)?;
            login(edit, init)?;
        }
        Ok(())
    }
}

/// The consoles of a machine with this processor, as words for the kernel's command line.
pub(crate) fn consoles(architecture: Option<&str>) -> &'static [&'static str] {
    let known = CONSOLES.iter().find(|(name, _)| Some(*name) == architecture);
    known.map_or(USUAL, |(_, consoles)| consoles)
}

/// A variable for the consoles, where there is none.
fn with_command_line(text: &str) -> String {
    match assignments::get(text, "GRUB_CMDLINE_LINUX") {
        Some(_) => text.into(),
        None => assignments::appended(text, "GRUB_CMDLINE_LINUX=\"\""),
    }
}

fn grub_terminal(edit: &mut Edit<'_>) -> Result<()> {
    edit.rewrite(DEFAULTS, |text| {
        let split = |key: &str| matches!(key, "GRUB_TERMINAL_INPUT" | "GRUB_TERMINAL_OUTPUT");
        let text = assignments::without(text, split);
        let text = assignments::set(&text, "GRUB_TERMINAL", "console serial");
        assignments::set(&text, "GRUB_SERIAL_COMMAND", SERIAL)
    })?;
    for pattern in GRUB {
        for path in edit.root.glob(pattern)? {
            edit.rewrite(&path, with_terminal)?;
        }
    }
    Ok(())
}

/// `grub.cfg` with a terminal on the serial port, set up before the first entry; a stub that only
/// leads to another file stays as it is.
fn with_terminal(text: &str) -> String {
    let starts = |line: &str, words: &[&str]| {
        words.contains(&line.split_whitespace().next().unwrap_or_default())
    };
    let has_serial = text.lines().any(|line| starts(line, &["serial"]));
    let is_entry =
        |line: &&str| starts(line, &["menuentry", "blscfg"]) || line.starts_with("insmod blscfg");
    let Some(entry) = text.lines().find(is_entry).filter(|_| !has_serial) else {
        return text.into();
    };
    let at = entry.as_ptr().addr() - text.as_ptr().addr();
    let (before, after) = text.split_at(at);
    let terminals = "terminal_input console serial\nterminal_output console serial\n";
    format!("{before}{SERIAL}\n{terminals}{after}")
}

/// systemd starts a log-in on the kernel's console by itself.
fn login(edit: &mut Edit<'_>, init: Init) -> Result<()> {
    if matches!(init, Init::Systemd) {
        return Ok(());
    }
    edit.rewrite(INITTAB, |text| {
        let is_there = text.lines().any(|line| !line.starts_with('#') && line.contains("ttyS0"));
        if is_there || !text.contains("getty") {
            return text.into();
        }
        assignments::appended(text, "S0:2345:respawn:/sbin/getty -L ttyS0 115200 vt102")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_set_up_before_the_first_entry() {
        let text = "set timeout=1\nmenuentry 'a' {\n}\nmenuentry 'b' {\n}\n";
        let new = with_terminal(text);
        assert!(new.starts_with("set timeout=1\nserial --unit=0"), "{new}");
        assert!(new.ends_with("serial\nmenuentry 'a' {\n}\nmenuentry 'b' {\n}\n"), "{new}");
        assert_eq!(with_terminal(&new), new);
        assert_eq!(with_terminal("configfile /grub.cfg\n"), "configfile /grub.cfg\n");
    }

    #[test]
    fn the_port_depends_on_the_machine() {
        assert_eq!(consoles(Some("aarch64")), ["console=tty0", "console=ttyAMA0"]);
        assert_eq!(consoles(None), USUAL);
    }
}
