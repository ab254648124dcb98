//! Images whose tables lead astray.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use disk::{ByteSize, Error, Options, References};

use crate::peer::{self, Folder, qemu_img, text};

/// A qcow2 image of 1 MiB with clusters of 64 KiB: header, L1 table, refcount table and block.
fn image(folder: &Folder) -> Vec<u8> {
    let path = folder.path("image");
    disk::create(&path, "qcow2", Some(ByteSize::new(1 << 20)), &Options::default()).unwrap();
    fs::read(path).unwrap()
}

/// What comes of reading the first bytes of an image with this first L1 entry and, in a cluster
/// behind all others, this first L2 entry.
fn read(l1: u64, l2: u64) -> Result<Vec<u8>, Error> {
    let folder = Folder::new();
    let mut bytes = image(&folder);
    let table = bytes.len();
    bytes.resize(table + 65536, 0);
    let l1 = if l1 == 0 { table as u64 } else { l1 };
    bytes[65536..65544].copy_from_slice(&l1.to_be_bytes());
    bytes[table..table + 8].copy_from_slice(&l2.to_be_bytes());
    let path = folder.path("hostile");
    fs::write(&path, bytes).unwrap();
    let disk = disk::open(&path, Some("qcow2"), References::Refuse)?;
    let mut buffer = vec![0xee; 1000];
    disk.read_at(&mut buffer, 0)?;
    Ok(buffer)
}

#[test]
fn tables_and_clusters_that_are_not_there_are_errors_or_zeros() {
    assert!(matches!(read(1 << 40, 0), Err(Error::Io { .. })), "an L2 table behind the end");
    assert!(
        matches!(read(65536 * 3 + 512, 0), Err(Error::Image { .. })),
        "one that is not aligned"
    );
    assert!(matches!(read(0, 512), Err(Error::Image { .. })), "a cluster that is not aligned");
    assert_eq!(read(0, 1 << 40).unwrap(), vec![0; 1000], "a cluster behind the end");
    assert_eq!(read(0, 0).unwrap(), vec![0; 1000], "no cluster");
    assert!(matches!(read(0, 1 << 62), Err(Error::Image { .. })), "the header, decompressed");
    let all = !(1 << 63);
    assert!(matches!(read(0, all), Err(Error::Image { .. })), "compressed, behind any end");
}

#[test]
fn a_file_that_is_none_is_told() {
    let folder = Folder::new();
    let absent = disk::open(&folder.path("absent"), None, References::Refuse).unwrap_err();
    assert!(absent.to_string().contains("absent"), "{absent}");
    let folder_itself = disk::info(folder.path("x").parent().unwrap(), None);
    assert!(matches!(folder_itself, Err(Error::Io { .. })));
    let unknown = disk::info(&folder.path("absent"), Some("floppy"));
    assert!(unknown.is_err());
}

#[test]
fn a_backing_file_that_is_no_file_is_not_asked_for() {
    let folder = Folder::new();
    for name in ["nbd://127.0.0.1/x", "json:{}", "rbd:pool/image"] {
        let backing = disk::Backing { file: name.into(), format: "raw".to_owned() };
        let options = Options { backing: Some(backing), ..Options::default() };
        let path = folder.path("image");
        disk::create(&path, "qcow2", Some(ByteSize::new(1 << 20)), &options).unwrap();
        let refused = disk::open(&path, None, References::Follow);
        assert!(matches!(refused, Err(Error::Backing { .. })), "{refused:?}");
    }
}

/// What comes of opening an image and reading some of each megabyte.
fn read_some(image: &Path, format: &str) -> Result<(), Error> {
    let disk = disk::open(image, Some(format), References::Refuse)?;
    let mut piece = vec![0; 4096];
    for offset in (0..disk.size().min(32 << 20)).step_by(1 << 20) {
        disk.extent(offset)?;
        disk.read_at(&mut piece, offset)?;
    }
    Ok(())
}

/// Each number of their headers and tables, one after the other, is made all ones, and zero; and
/// files end early. There is an error or there are bytes, and never more memory than a block takes.
#[test]
fn no_header_and_no_table_leads_astray() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let (raw, image) = (folder.path("raw"), folder.path("image"));
    peer::disk(&raw);
    for (options, format, tables) in [
        (&["-O", "vdi"][..], "vdi", &[0..512, 512..700][..]),
        (&["-O", "vpc"], "vhd", &[0..1536, 1536..2100]),
        (&["-O", "vhdx"], "vhdx", &[65536..65620, 196_608..196_700, 2 << 20..(2 << 20) + 200]),
        (&["-O", "vmdk"], "vmdk", &[0..512, 10_752..11_300]),
        (&["-O", "vmdk", "-o", "subformat=streamOptimized"], "vmdk", &[0..512, 65_536..65_600]),
    ] {
        peer::make(options, &raw, &image);
        read_some(&image, format).unwrap();
        let sound = fs::read(&image).unwrap();
        let mut refused = 0;
        let file = File::options().write(true).open(&image).unwrap();
        for at in tables.iter().cloned().flatten().step_by(4).filter(|at| at + 4 <= sound.len()) {
            for wrong in [[0xff; 4], [0; 4], [0xff, 0xff, 0xff, 0x7f]] {
                file.write_all_at(&wrong, at as u64).unwrap();
                refused += u32::from(read_some(&image, format).is_err());
            }
            file.write_all_at(&sound[at..at + 4], at as u64).unwrap();
        }
        assert!(refused > 10, "{options:?}: {refused}");
        for length in [0, 3, 511, 1024, 70_000, sound.len() / 2] {
            fs::write(&image, &sound[..length.min(sound.len())]).unwrap();
            let _error_or_zeros = read_some(&image, format);
        }
    }
}

#[test]
fn a_parent_is_not_read() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let image = folder.path("image");
    for (format, at) in [("vdi", 440), ("vhd", 63)] {
        let qemus = if format == "vhd" { "vpc" } else { format };
        qemu_img(&["create", "-q", "-f", qemus, text(&image), "16M"]);
        let mut bytes = fs::read(&image).unwrap();
        bytes[at] = 4;
        fs::write(&image, bytes).unwrap();
        let refused = disk::open(&image, Some(format), References::Refuse);
        assert!(matches!(refused, Err(Error::Refers { .. })), "{format}: {refused:?}");
    }
}
