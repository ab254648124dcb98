//! The disk that a system from packages lies on: where its partitions are, and what makes it boot
//! by BIOS and by UEFI. All of it is written into a plain file; nothing is mounted or attached.

mod bios;
mod esp;
mod gpt;

use std::fs::File;
use std::io;

use disk::ByteSize;
use uuid::Uuid;

use crate::{Error, Result};

pub(crate) use bios::install as install_bios;
pub(crate) use esp::install as install_efi;

/// Bytes of a sector, in every number of a partition table here.
pub(crate) const SECTOR: u64 = 512;

/// Partitions start and end where flash blocks do.
const MEBIBYTE: u64 = (1 << 20) / SECTOR;

/// The BIOS boot partition: 3 MiB, where GRUB's core image is 200 KiB.
const BIOS: Range = Range { first: MEBIBYTE, sectors: 3 * MEBIBYTE };

/// The EFI system partition: 32 MiB, where GRUB is 4 MiB.
const ESP: Range = Range { first: 4 * MEBIBYTE, sectors: 32 * MEBIBYTE };

/// The root file system takes the rest. It is last on the disk, so that an instance can grow it.
const ROOT_FIRST: u64 = 36 * MEBIBYTE;

/// Room below which no system with a kernel fits.
const ROOT_LEAST: u64 = 256 * MEBIBYTE;

/// A run of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first.
    pub(crate) first: u64,
    /// How many.
    pub(crate) sectors: u64,
}

impl Range {
    /// Where it starts, in bytes.
    pub(crate) fn offset(self) -> u64 {
        self.first * SECTOR
    }

    /// How long it is, in bytes.
    pub(crate) fn length(self) -> u64 {
        self.sectors * SECTOR
    }
}

/// The identifiers of a disk. The same image gets the same ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) disk: Uuid,
    pub(crate) root: Uuid,
    pub(crate) bios: Uuid,
    pub(crate) esp: Uuid,
    pub(crate) root_file_system: Uuid,
}

/// A disk's division.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    sectors: u64,
    identity: Identity,
}

impl Layout {
    /// The division of a disk of that size.
    pub(crate) fn of(size: ByteSize, identity: Identity) -> Result<Self> {
        let layout = Layout { sectors: size.bytes() / SECTOR, identity };
        let least = (ROOT_FIRST + ROOT_LEAST + MEBIBYTE) * SECTOR;
        if size.bytes() < least {
            let what = "a Linux system with its boot loaders".to_owned();
            let needed = ByteSize::new(least);
            return Err(Error::DiskTooSmall { what, needed, available: size });
        }
        Ok(layout)
    }

    /// Where the root file system goes. It ends on a whole mebibyte before the table's copy at the
    /// end of the disk: tools that align would otherwise shorten the partition below it.
    pub(crate) fn root(&self) -> Range {
        let end = (self.sectors - gpt::TAIL) / MEBIBYTE * MEBIBYTE;
        Range { first: ROOT_FIRST, sectors: end - ROOT_FIRST }
    }

    /// Writes the partition table, numbered as Debian's own cloud images are.
    pub(crate) fn write_table(&self, disk: &File) -> io::Result<()> {
        let ids = &self.identity;
        gpt::Table { id: ids.disk, sectors: self.sectors }.write(
            disk,
            &[
                gpt::Partition {
                    number: 1,
                    kind: gpt::LINUX,
                    id: ids.root,
                    range: self.root(),
                    name: "root",
                },
                gpt::Partition {
                    number: 14,
                    kind: gpt::BIOS_BOOT,
                    id: ids.bios,
                    range: BIOS,
                    name: "bios",
                },
                gpt::Partition {
                    number: 15,
                    kind: gpt::EFI_SYSTEM,
                    id: ids.esp,
                    range: ESP,
                    name: "efi",
                },
            ],
        )
    }
}
