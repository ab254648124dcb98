//! Reading and writing images, with QEMU on the other side.

use std::fs;
use std::ops::ControlFlow;

use disk::{
    Backing, ByteSize, Compat, Compression, Error, Extent, ExtentKind, Options, References,
};

use crate::peer::{self, Folder, SIZE, qemu_img, text};

fn keep_on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The whole disk in an image, read in pieces of an odd size.
fn content(disk: &dyn disk::Disk) -> Vec<u8> {
    let mut content = vec![0xee; disk.size() as usize];
    for (index, piece) in content.chunks_mut(123_457).enumerate() {
        disk.read_at(piece, index as u64 * 123_457).unwrap();
    }
    content
}

#[test]
fn images_that_qemu_wrote_are_read() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let raw = folder.path("raw");
    let expected = peer::disk(&raw);
    for options in [
        &["-O", "qcow2"][..],
        &["-O", "qcow2", "-c"],
        &["-O", "qcow2", "-c", "-o", "compression_type=zstd"],
        &["-O", "qcow2", "-o", "compat=0.10"],
        &["-O", "qcow2", "-o", "cluster_size=512"],
        &["-O", "qcow2", "-c", "-o", "cluster_size=4096"],
        &["-O", "qcow2", "-c", "-o", "cluster_size=2M"],
        &["-O", "qcow2", "-o", "extended_l2=on,cluster_size=128k"],
        &["-O", "qcow2", "-o", "preallocation=metadata"],
        &["-O", "qcow2", "-o", "refcount_bits=1"],
        &["-O", "raw"],
        &["-O", "vdi"],
        &["-O", "vdi", "-o", "static=on"],
        &["-O", "vpc", "-o", "force_size=on"],
        &["-O", "vpc", "-o", "force_size=on,subformat=fixed"],
        &["-O", "vhdx", "-o", "subformat=fixed"],
        &["-O", "vhdx", "-o", "block_size=1M"],
        &["-O", "vmdk"],
        &["-O", "vmdk", "-o", "subformat=streamOptimized"],
        &["-O", "vmdk", "-o", "zeroed_grain=on"],
    ] {
        let image = folder.path("image");
        peer::make(options, &raw, &image);
        // A VHD of fixed size has no mark at its beginning.
        let format = options[1];
        let disk = disk::open(&image, Some(format), References::Refuse).unwrap();
        assert_eq!(disk.size(), SIZE, "{options:?}");
        assert!(content(disk.as_ref()) == expected, "{options:?}");
        let stored = extents(disk.as_ref());
        let allocated = ["preallocation", "static", "fixed"];
        let sparse = !allocated.iter().any(|how| options.concat().contains(how));
        assert!(!sparse || stored < SIZE, "{options:?}: {stored} bytes are said to be stored");
        if !["raw", "qcow2"].contains(&format) {
            let back = folder.path("back");
            disk::convert(disk.as_ref(), &back, "raw", &Options::default(), &mut keep_on).unwrap();
            assert!(fs::read(&back).unwrap() == expected, "{options:?}");
        }
    }
}

/// How much of a disk is said to be stored; extents cover all of it.
fn extents(disk: &dyn disk::Disk) -> u64 {
    let (mut offset, mut stored) = (0, 0);
    while offset < disk.size() {
        let extent = disk.extent(offset).unwrap();
        stored += if extent.kind == ExtentKind::Data { extent.length } else { 0 };
        offset += extent.length;
    }
    assert_eq!(offset, disk.size());
    stored
}

/// A disk that is no multiple of any block, and longer than one table of VMDK reaches.
#[test]
fn the_last_block_of_a_disk_may_be_a_part_of_one() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let (raw, image) = (folder.path("raw"), folder.path("image"));
    let mut expected = peer::disk(&raw);
    expected.resize((70 << 20) + 512 * 5, 0);
    let end = expected.len() - 1000;
    expected[end..].fill(b'e');
    fs::write(&raw, &expected).unwrap();
    for options in [
        &["-O", "vdi"][..],
        &["-O", "vpc", "-o", "force_size=on"],
        &["-O", "vhdx"],
        &["-O", "vmdk"],
        &["-O", "vmdk", "-o", "subformat=streamOptimized"],
    ] {
        peer::make(options, &raw, &image);
        let disk = disk::open(&image, None, References::Refuse).unwrap();
        assert_eq!(disk.size(), expected.len() as u64, "{options:?}");
        assert!(content(disk.as_ref()) == expected, "{options:?}");
        assert!(extents(disk.as_ref()) < 40 << 20, "{options:?}");
    }
}

#[test]
fn images_that_we_write_are_read_by_qemu() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let (raw, image, back) = (folder.path("raw"), folder.path("image"), folder.path("back"));
    let expected = peer::disk(&raw);
    let source = disk::open(&raw, Some("raw"), References::Refuse).unwrap();
    for cluster_size in [512, 4096, 65536, 2 << 20] {
        for compression in [Compression::None, Compression::Deflate] {
            for compat in [Compat::V0_10, Compat::V1_1] {
                let options = Options { cluster_size, compression, compat, ..Options::default() };
                disk::convert(source.as_ref(), &image, "qcow2", &options, &mut keep_on).unwrap();
                qemu_img(&["check", "-q", "-f", "qcow2", text(&image)]);
                qemu_img(&["convert", "-f", "qcow2", "-O", "raw", text(&image), text(&back)]);
                assert!(fs::read(&back).unwrap() == expected, "{options:?}");
                let disk = disk::open(&image, Some("qcow2"), References::Refuse).unwrap();
                assert!(content(disk.as_ref()) == expected, "{options:?}");
            }
        }
    }
}

#[test]
fn holes_stay_holes() {
    let folder = Folder::new();
    let (raw, image, back) = (folder.path("raw"), folder.path("image"), folder.path("back"));
    let expected = peer::disk(&raw);
    let source = disk::open(&raw, Some("raw"), References::Refuse).unwrap();
    let options = Options::default();
    disk::convert(source.as_ref(), &image, "qcow2", &options, &mut keep_on).unwrap();
    let qcow2 = disk::open(&image, None, References::Refuse).unwrap();
    disk::convert(qcow2.as_ref(), &back, "raw", &options, &mut keep_on).unwrap();
    assert!(fs::read(&back).unwrap() == expected);
    let allocated = disk::info(&back, Some("raw")).unwrap().allocated;
    assert!(allocated.bytes() < 3 << 20, "{allocated}");
    let hole = Extent { length: 64 << 10, kind: ExtentKind::Zero };
    assert_eq!(qcow2.extent(12 << 20).unwrap(), hole);
}

#[test]
fn a_disk_of_any_length_ends_where_it_ended() {
    let folder = Folder::new();
    let (raw, image) = (folder.path("raw"), folder.path("image"));
    for length in [0_usize, 1, 511, 512, 65_537, (2 << 20) + 1] {
        fs::write(&raw, vec![b'x'; length]).unwrap();
        let source = disk::open(&raw, Some("raw"), References::Refuse).unwrap();
        for compression in [Compression::None, Compression::Deflate] {
            let options = Options { compression, ..Options::default() };
            disk::convert(source.as_ref(), &image, "qcow2", &options, &mut keep_on).unwrap();
            let disk = disk::open(&image, Some("qcow2"), References::Refuse).unwrap();
            // A disk is made of sectors.
            assert_eq!(disk.size(), length.next_multiple_of(512) as u64);
            let mut expected = vec![b'x'; length];
            expected.resize(length.next_multiple_of(512), 0);
            assert!(content(disk.as_ref()) == expected, "{length} bytes, {compression:?}");
        }
    }
}

#[test]
fn backing_files_are_read_only_when_asked_for() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let (base, image) = (folder.path("base"), folder.path("image"));
    let mut expected = peer::disk(&base);
    let backing = Backing { file: "base".into(), format: "raw".to_owned() };
    let options = Options { backing: Some(backing), ..Options::default() };
    disk::create(&image, "qcow2", Some(ByteSize::new(2 * SIZE)), &options).unwrap();
    qemu_img(&["check", "-q", text(&image)]);
    let done = std::process::Command::new("qemu-io")
        .args(["-f", "qcow2", "-c", "write -P 0x5a 100k 3000", "-c", "write -z 9M 64k"])
        .arg(&image)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    expected.resize(2 * SIZE as usize, 0);
    expected[100 << 10..(100 << 10) + 3000].fill(0x5a);
    expected[9 << 20..(9 << 20) + (64 << 10)].fill(0);

    let refused = disk::open(&image, None, References::Refuse);
    assert!(matches!(refused, Err(Error::Refers { .. })), "{refused:?}");
    let disk = disk::open(&image, None, References::Follow).unwrap();
    assert!(content(disk.as_ref()) == expected);
    let whole = folder.path("whole");
    disk::convert(disk.as_ref(), &whole, "qcow2", &Options::default(), &mut keep_on).unwrap();
    let whole = disk::open(&whole, None, References::Refuse).unwrap();
    assert!(content(whole.as_ref()) == expected);
}

#[test]
fn a_circle_of_backing_files_is_refused() {
    let folder = Folder::new();
    let image = folder.path("image");
    let backing = Backing { file: "image".into(), format: "qcow2".to_owned() };
    let options = Options { backing: Some(backing), ..Options::default() };
    disk::create(&image, "qcow2", Some(ByteSize::new(1 << 20)), &options).unwrap();
    let refused = disk::open(&image, None, References::Follow);
    assert!(matches!(refused, Err(Error::Refers { .. })), "{refused:?}");
}

#[test]
fn whoever_watches_may_end_it_and_nothing_is_left() {
    let folder = Folder::new();
    let (raw, image) = (folder.path("raw"), folder.path("image"));
    peer::disk(&raw);
    fs::write(&image, "what was there").unwrap();
    let source = disk::open(&raw, Some("raw"), References::Refuse).unwrap();
    let mut calls = 0;
    let mut watch = |done, total| {
        calls += 1;
        assert!(done <= total && total == SIZE);
        if calls == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = disk::convert(source.as_ref(), &image, "qcow2", &Options::default(), &mut watch);
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert_eq!(fs::read(&image).unwrap(), b"what was there");
    assert_eq!(fs::read_dir(image.parent().unwrap()).unwrap().count(), 2);
}
