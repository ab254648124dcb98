//! GRUB for a BIOS, as `grub-bios-setup` installs it, in a plain file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::{BIOS, SECTOR};

/// The boot sector's code ends where the disk's signature and the partition table begin.
const CODE: usize = 440;

/// GRUB 2 `include/grub/i386/pc/boot.h`: where the boot sector says which sector to load.
const BOOT_MACHINE_KERNEL_SECTOR: usize = 0x5c;

/// The same file: a jump around the line that takes the BIOS's word for the boot drive.
/// Two no-ops in its place make GRUB use the first disk when that word is unlikely.
const BOOT_MACHINE_DRIVE_CHECK: usize = 0x66;
const NO_OPERATION: u8 = 0x90;

/// `include/grub/offsets.h`: the core image's first sector ends with a list of the blocks to load;
/// the first entry starts with a sector number.
const BLOCK_LIST: usize = SECTOR as usize - 12;

/// Puts `boot.img` into the boot sector and `core.img` into the BIOS boot partition.
///
/// # Errors
/// `InvalidData` when they are not what GRUB makes.
pub(crate) fn install(disk: &File, boot: &[u8], core: &[u8]) -> io::Result<()> {
    disk.write_all_at(&boot_sector(boot)?, 0)?;
    disk.write_all_at(&core_image(core)?, BIOS.offset())
}

fn boot_sector(boot: &[u8]) -> io::Result<Vec<u8>> {
    if boot.len() != SECTOR as usize || !boot.ends_with(&[0x55, 0xaa]) {
        return Err(invalid("boot.img of GRUB is not a boot sector"));
    }
    let mut code = boot[..CODE].to_vec();
    code[BOOT_MACHINE_KERNEL_SECTOR..][..8].copy_from_slice(&BIOS.first.to_le_bytes());
    code[BOOT_MACHINE_DRIVE_CHECK..][..2].fill(NO_OPERATION);
    Ok(code)
}

fn core_image(core: &[u8]) -> io::Result<Vec<u8>> {
    if core.len() <= SECTOR as usize || core.len() as u64 > BIOS.length() {
        return Err(invalid("core.img of GRUB does not fit its partition"));
    }
    let mut core = core.to_vec();
    core[BLOCK_LIST..][..8].copy_from_slice(&(BIOS.first + 1).to_le_bytes());
    Ok(core)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot() -> Vec<u8> {
        let mut boot = vec![0xcc; 512];
        boot[510..].copy_from_slice(&[0x55, 0xaa]);
        boot
    }

    #[test]
    fn the_boot_sector_names_the_core_image_and_the_core_image_its_second_sector() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8 << 20).unwrap();
        file.write_all_at(b"table", 446).unwrap();
        install(&file, &boot(), &[0xee; 1024]).unwrap();
        let mut first = [0; 512];
        file.read_exact_at(&mut first, 0).unwrap();
        assert_eq!(&first[0x5c..0x64], &2048_u64.to_le_bytes());
        assert_eq!(&first[0x66..0x68], &[0x90, 0x90]);
        assert_eq!(&first[446..451], b"table");
        let mut core = [0; 1024];
        file.read_exact_at(&mut core, 1 << 20).unwrap();
        assert_eq!(&core[500..508], &2049_u64.to_le_bytes());
        assert_eq!(core[508], 0xee);
    }

    #[test]
    fn what_grub_does_not_make_is_refused() {
        let file = tempfile::tempfile().unwrap();
        assert!(install(&file, &[0; 512], &[0; 1024]).is_err());
        assert!(install(&file, &boot(), &[0; 512]).is_err());
        assert!(install(&file, &boot(), &vec![0; 4 << 20]).is_err());
    }
}
