//! Uploads that are looked at as they pass.

use std::fs;
use std::path::Path;

use disk::{Facts, InspectError, Inspector, PartitionTables, ReferenceKind};
use proptest::prelude::*;

use crate::peer::{self, Folder, qemu_img, text};

/// What an inspector says of bytes that come in pieces of one size.
fn inspect(declared: &str, bytes: &[u8], piece: usize) -> Result<Facts, InspectError> {
    let mut inspector = Inspector::new(declared, PartitionTables::Sound);
    for piece in bytes.chunks(piece.max(1)) {
        inspector.update(piece)?;
    }
    inspector.finish()
}

/// The verdict, which may not depend on the pieces.
fn verdict(declared: &str, bytes: &[u8]) -> Result<Facts, InspectError> {
    let whole = inspect(declared, bytes, usize::MAX);
    for piece in [4096, 65_537, 1 << 20] {
        assert_eq!(inspect(declared, bytes, piece), whole, "{declared} in pieces of {piece}");
    }
    whole
}

fn made(folder: &Folder, arguments: &[&str]) -> Vec<u8> {
    let image = folder.path("image");
    qemu_img(&[&["create", "-q"][..], arguments, &[text(&image), "40M"]].concat());
    fs::read(image).unwrap()
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

#[test]
fn images_are_taken_for_what_they_are() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    for (declared, arguments) in [
        ("qcow2", &["-f", "qcow2"][..]),
        ("qcow2", &["-f", "qcow2", "-o", "compat=0.10"]),
        ("qcow2", &["-f", "qcow2", "-o", "cluster_size=2M,preallocation=metadata"]),
        ("vmdk", &["-f", "vmdk"]),
        ("vmdk", &["-f", "vmdk", "-o", "subformat=streamOptimized"]),
        ("vdi", &["-f", "vdi"]),
        ("vdi", &["-f", "vdi", "-o", "static=on"]),
        ("vhd", &["-f", "vpc", "-o", "force_size=on"]),
        ("vhd", &["-f", "vpc", "-o", "force_size=on,subformat=fixed"]),
        ("vhdx", &["-f", "vhdx"]),
        ("vhdx", &["-f", "vhdx", "-o", "subformat=fixed"]),
        ("raw", &["-f", "raw"]),
    ] {
        let bytes = made(&folder, arguments);
        let facts = verdict(declared, &bytes).unwrap_or_else(|why| panic!("{arguments:?}: {why}"));
        assert_eq!(facts.virtual_size, Some(40 << 20), "{arguments:?}");
        let info = disk::info(&folder.path("image"), Some(declared)).unwrap();
        assert_eq!(info.facts, facts, "a file is looked at with the same eyes");
        let others = ["raw", "qcow2", "vmdk", "vdi", "vhdx", "iso"];
        for other in others.iter().filter(|other| **other != declared) {
            // A VHD of fixed size is raw but for its end, which nobody obeys.
            if !(*other == "raw" && arguments.contains(&"force_size=on,subformat=fixed")) {
                let refused = verdict(other, &bytes);
                assert!(
                    matches!(refused, Err(InspectError::Mismatch { .. })),
                    "{other}: {arguments:?}"
                );
            }
        }
    }
}

#[test]
fn what_has_no_mark_of_its_own_must_not_have_another_formats() {
    let mut disk = vec![0; 100_000];
    put(&mut disk, 510, &[0x55, 0xaa]);
    for declared in ["ami", "aki", "ari", "ploop"] {
        assert_eq!(verdict(declared, b"anything"), Ok(Facts::default()));
        assert_eq!(verdict(declared, &vec![0; 100_000]), Ok(Facts::default()));
        for (found, bytes) in [("mbr", &disk[..]), ("qcow2", b"QFI\xfb")] {
            let refused = Err(InspectError::Mismatch { declared, found });
            assert_eq!(verdict(declared, bytes), refused);
        }
    }
    let ploop = b"WithouFreSpacExt".repeat(100);
    assert_eq!(verdict("ploop", &ploop), Ok(Facts::default()));
    assert!(verdict("ami", &ploop).is_err());
}

#[test]
fn disks_with_partitions_are_raw() {
    let mut bytes = vec![0; 100_000];
    put(&mut bytes, 510, &[0x55, 0xaa]);
    let empty = verdict("raw", &bytes);
    assert!(matches!(empty, Err(InspectError::Partitions(_))), "{empty:?}");
    // The type of the first partition: Linux.
    put(&mut bytes, 450, &[0x83]);
    assert_eq!(verdict("raw", &bytes).unwrap().virtual_size, Some(100_000));
    put(&mut bytes, 512, b"EFI PART");
    assert_eq!(verdict("raw", &bytes).unwrap().virtual_size, Some(100_000));
    // An image to install from may start from a disk as well.
    put(&mut bytes, 0x8001, b"CD001");
    assert_eq!(verdict("iso", &bytes).unwrap().virtual_size, Some(100_000));
    assert!(verdict("raw", &bytes).is_err());
}

#[test]
fn short_and_empty_bodies_have_a_verdict() {
    assert_eq!(verdict("raw", b"").unwrap().virtual_size, Some(0));
    assert_eq!(verdict("raw", b"x").unwrap().virtual_size, Some(1));
    for declared in ["qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso"] {
        assert!(verdict(declared, b"").is_err(), "{declared}");
        assert!(verdict(declared, b"QFI\xfb").is_err(), "{declared}");
    }
}

fn references(why: &InspectError) -> Option<ReferenceKind> {
    match why {
        InspectError::Refers { reference, .. } => Some(reference.kind),
        _ => None,
    }
}

#[test]
fn a_qcow2_that_names_a_file_is_refused() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let base = folder.path("base");
    fs::write(&base, vec![0; 1 << 20]).unwrap();
    for (arguments, kind) in [
        (vec!["-f", "qcow2", "-F", "raw", "-b", text(&base)], ReferenceKind::BackingFile),
        (
            vec!["-f", "qcow2", "-o", "compat=0.10", "-F", "raw", "-b", text(&base)],
            ReferenceKind::BackingFile,
        ),
    ] {
        let why = verdict("qcow2", &made(&folder, &arguments)).unwrap_err();
        assert_eq!(references(&why), Some(kind), "{why}");
        assert!(why.to_string().contains(text(&base)), "{why}");
    }
    let data = format!("data_file={},data_file_raw=on", text(&folder.path("data")));
    let mut bytes = made(&folder, &["-f", "qcow2", "-o", &data]);
    let why = verdict("qcow2", &bytes).unwrap_err();
    assert_eq!(references(&why), Some(ReferenceKind::DataFile), "{why}");
    // The feature bit alone, and the name alone.
    let name = bytes.windows(4).position(|word| word == b"DATA").unwrap();
    let mut nameless = bytes.clone();
    put(&mut nameless, name, b"none");
    let why = verdict("qcow2", &nameless).unwrap_err();
    assert_eq!(references(&why), Some(ReferenceKind::DataFile), "{why}");
    put(&mut bytes, 72, &[0; 8]);
    let why = verdict("qcow2", &bytes).unwrap_err();
    assert_eq!(references(&why), Some(ReferenceKind::DataFile), "{why}");
}

#[test]
fn absurd_headers_are_refused() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let honest = made(&folder, &["-f", "qcow2"]);
    let cases: [(usize, &[u8]); 13] = [
        (4, &[0, 0, 0, 1]),
        (4, &[0, 0, 0, 4]),
        (20, &[0, 0, 0, 8]),
        (20, &[0, 0, 0, 63]),
        (24, &[0xff; 8]),
        (24, &[0x10, 0, 0, 0, 0, 0, 0, 0]),
        (32, &[0, 0, 0, 9]),
        (36, &[0xff; 4]),
        (40, &[0, 0, 0, 0, 0, 0, 0, 1]),
        (56, &[0xff; 4]),
        (60, &[0xff; 4]),
        (72, &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        (100, &[0xff; 4]),
    ];
    for (at, value) in cases {
        let mut bytes = honest.clone();
        put(&mut bytes, at, value);
        let refused = verdict("qcow2", &bytes);
        assert!(matches!(refused, Err(InspectError::Malformed { .. })), "{at}: {refused:?}");
    }
}

#[test]
fn a_stream_of_header_extensions_is_refused() {
    let (_, mut bytes) = beginnings().swap_remove(0);
    put(&mut bytes, 20, &[0, 0, 0, 21]);
    bytes.resize(2 << 20, 0);
    for at in (104..bytes.len() - 8).step_by(8) {
        put(&mut bytes, at, &[1, 1, 1, 1, 0, 0, 0, 0]);
    }
    let refused = verdict("qcow2", &bytes);
    assert!(matches!(refused, Err(InspectError::Malformed { .. })), "{refused:?}");
}

#[test]
fn other_formats_that_name_a_file_are_refused() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let vmdk = made(&folder, &["-f", "vmdk"]);
    let descriptor = |from: &str, to: &str| {
        let at = vmdk.windows(from.len()).position(|word| word == from.as_bytes()).unwrap();
        let mut bytes = vmdk.clone();
        put(&mut bytes, at, to.as_bytes());
        bytes
    };
    let extent = descriptor("SPARSE \"image\"", "FLAT \"/etc/x\" ");
    let parent = descriptor("parentCID=ffffffff", "parentCID=12345678");
    let kind = descriptor("monolithicSparse", "monolithicFlat\"\n");
    let mut obeyed = vmdk.clone();
    put(&mut obeyed, 12, &[0; 8]);
    let mut elsewhere = vmdk.clone();
    put(&mut elsewhere, 28, &[9]);
    for bytes in [extent, parent, kind, obeyed, elsewhere] {
        assert!(verdict("vmdk", &bytes).is_err());
    }
    let text = b"# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 8 FLAT \"/etc/passwd\" 0\n";
    for declared in ["vmdk", "raw"] {
        assert!(verdict(declared, text).is_err(), "{declared}");
    }

    let mut vhd = made(&folder, &["-f", "vpc"]);
    put(&mut vhd, 60, &[0, 0, 0, 4]);
    assert_eq!(references(&verdict("vhd", &vhd).unwrap_err()), Some(ReferenceKind::Parent));
    put(&mut vhd, 60, &[0, 0, 0, 3]);
    let end = vhd.len() - 512 + 60;
    put(&mut vhd, end, &[0, 0, 0, 4]);
    assert_eq!(references(&verdict("vhd", &vhd).unwrap_err()), Some(ReferenceKind::Parent));

    let mut vdi = made(&folder, &["-f", "vdi"]);
    put(&mut vdi, 440, &[1]);
    assert_eq!(references(&verdict("vdi", &vdi).unwrap_err()), Some(ReferenceKind::Parent));

    let mut vhdx = made(&folder, &["-f", "vhdx"]);
    let parameters = [0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d];
    let entry = vhdx.windows(8).position(|word| word == parameters).unwrap();
    let table = vhdx.windows(8).position(|word| word == b"metadata").unwrap();
    let item = u32::from_le_bytes(vhdx[entry + 16..entry + 20].try_into().unwrap()) as usize;
    put(&mut vhdx, table + item + 4, &[2]);
    assert_eq!(references(&verdict("vhdx", &vhdx).unwrap_err()), Some(ReferenceKind::Parent));
}

/// Beginnings of every format, to be damaged.
fn beginnings() -> Vec<(&'static str, Vec<u8>)> {
    let sized = |mark: &[u8], at: usize| {
        let mut bytes = vec![0; 300 << 10];
        put(&mut bytes, at, mark);
        bytes
    };
    let mut qcow2 = sized(b"QFI\xfb\0\0\0\x03", 0);
    put(&mut qcow2, 20, &[0, 0, 0, 16]);
    put(&mut qcow2, 99, &[4, 0, 0, 0, 104]);
    let mut vmdk = sized(b"KDMV", 0);
    put(&mut vmdk, 12, &[1]);
    put(&mut vmdk, 28, &[1]);
    let mut vhdx = sized(b"vhdxfile", 0);
    put(&mut vhdx, 192 << 10, b"regi\0\0\0\0\x01");
    vec![
        ("qcow2", qcow2),
        ("vmdk", vmdk),
        ("vhdx", vhdx),
        ("vhd", sized(b"conectix", 0)),
        ("vdi", sized(&0xbeda_107f_u32.to_le_bytes(), 64)),
        ("luks", sized(b"LUKS\xba\xbe", 0)),
        ("qed", sized(b"QED\0\0\0\0\0", 0)),
        ("parallels", sized(b"WithouFreSpacExt", 0)),
        ("iso", sized(b"CD001", 0x8001)),
    ]
}

fn info(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    // Whatever is said of it, it is said without a panic.
    let _ = disk::info(path, None);
    if let Ok(disk) = disk::open(path, None, disk::References::Follow) {
        let mut buffer = vec![0; 70_000];
        let _ = disk.read_at(&mut buffer, 0);
        let _ = disk.extent(0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_images_never_panic(
        which in 0..9_usize,
        damage in proptest::collection::vec((0..2000_usize, any::<u8>()), 0..24),
        in_regions in proptest::collection::vec((0..200_usize, any::<u8>()), 0..24),
        length in 0..(300_usize << 10),
        piece in 1..200_000_usize,
    ) {
        let (declared, mut bytes) = beginnings().swap_remove(which);
        for (at, value) in damage.into_iter().chain(in_regions.into_iter().map(|(at, v)| ((192 << 10) + at, v))) {
            bytes[at] = value;
        }
        bytes.truncate(length);
        let _ = inspect(declared, &bytes, piece);
        let folder = Folder::new();
        info(&folder.path("image"), &bytes);
    }

    #[test]
    fn pieces_of_any_size_give_one_verdict(
        which in 0..9_usize,
        damage in proptest::collection::vec((0..700_usize, any::<u8>()), 0..6),
        piece in 1..100_000_usize,
    ) {
        let (declared, mut bytes) = beginnings().swap_remove(which);
        for (at, value) in damage {
            bytes[at] = value;
        }
        prop_assert_eq!(inspect(declared, &bytes, piece), inspect(declared, &bytes, usize::MAX));
    }
}
