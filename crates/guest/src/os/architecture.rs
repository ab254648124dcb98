//! The processor that a guest's programs are for.

use crate::{Result, Root};

/// Programs that each guest has one of.
const PROGRAMS: &[&str] = &["/bin/sh", "/usr/bin/sh", "/usr/bin/bash", "/sbin/init", "/usr/bin/ls"];

/// ELF's `e_machine` (System V ABI, "ELF header"; Linux `elf-em.h`) and the name in `uname -m`;
/// the bool is whether it is a 64-bit file.
const MACHINES: &[(u16, bool, &str)] = &[
    (62, true, "x86_64"),
    (3, false, "i686"),
    (183, true, "aarch64"),
    (40, false, "armv7l"),
    (243, true, "riscv64"),
    (21, true, "ppc64le"),
    (22, true, "s390x"),
];

pub(super) fn read(root: &Root) -> Result<Option<String>> {
    for program in PROGRAMS {
        let start = root.read_start(program, 20)?.unwrap_or_default();
        if let Some(name) = machine(&start) {
            return Ok(Some(name.into()));
        }
    }
    Ok(None)
}

fn machine(header: &[u8]) -> Option<&'static str> {
    let header: &[u8; 20] = header.try_into().ok()?;
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let (is_64, is_big) = (header[4] == 2, header[5] == 2);
    let bytes = [header[18], header[19]];
    let number = if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
    MACHINES
        .iter()
        .find(|(known, known_64, _)| *known == number && *known_64 == is_64)
        .map(|(_, _, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(class: u8, order: u8, number: [u8; 2]) -> [u8; 20] {
        let mut header = [0; 20];
        header[..4].copy_from_slice(b"\x7fELF");
        (header[4], header[5]) = (class, order);
        header[18..].copy_from_slice(&number);
        header
    }

    #[test]
    fn the_header_of_a_program_tells() {
        assert_eq!(machine(&header(2, 1, [62, 0])), Some("x86_64"));
        assert_eq!(machine(&header(2, 1, [183, 0])), Some("aarch64"));
        assert_eq!(machine(&header(2, 2, [0, 22])), Some("s390x"));
        assert_eq!(machine(b"#!/bin/sh\n"), None);
    }
}
