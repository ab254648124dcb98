//! The EFI system partition: a FAT file system with the program that firmware starts when nothing
//! else is said ("removable media boot behavior", UEFI specification 2.10, section 3.5).

use std::fs::File;
use std::io::{self, Cursor, Write};
use std::os::unix::fs::FileExt;

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions};
use uuid::Uuid;

use super::ESP;

/// Writes the file system with `program` as its boot program for x86-64.
pub(crate) fn install(disk: &File, program: &[u8], id: Uuid) -> io::Result<()> {
    let mut volume = vec![0; ESP.length() as usize];
    fill(&mut volume, program, id)?;
    disk.write_all_at(&volume, ESP.offset())
}

fn fill(volume: &mut [u8], program: &[u8], id: Uuid) -> io::Result<()> {
    let label = *b"EFI        ";
    let number = (id.as_u128() & u128::from(u32::MAX)) as u32;
    let options = FormatVolumeOptions::new().volume_label(label).volume_id(number);
    fatfs::format_volume(Cursor::new(&mut *volume), options)?;
    // fatfs knows no clock as we build it: the same program gives the same bytes.
    let volume = FileSystem::new(Cursor::new(volume), FsOptions::new())?;
    let folder = volume.root_dir().create_dir("EFI")?.create_dir("BOOT")?;
    folder.create_file("BOOTX64.EFI")?.write_all(program)?;
    drop(folder);
    volume.unmount()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn firmware_finds_the_program() {
        let disk = tempfile::tempfile().unwrap();
        install(&disk, b"MZ program", Uuid::nil()).unwrap();
        let mut bytes = vec![0; ESP.length() as usize];
        disk.read_exact_at(&mut bytes, ESP.offset()).unwrap();
        let volume = FileSystem::new(Cursor::new(bytes), FsOptions::new()).unwrap();
        let mut program = Vec::new();
        let root = volume.root_dir();
        root.open_file("EFI/BOOT/BOOTX64.EFI").unwrap().read_to_end(&mut program).unwrap();
        assert_eq!(program, b"MZ program");
    }
}
