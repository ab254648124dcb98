//! Making and resizing images.

use std::fs;

use disk::{ByteSize, Compat, Detail, Error, Options, Preallocation, References, Resize, Shrink};

use crate::peer::{self, Folder, qemu_img, text};

fn options(text: &str) -> Options {
    let mut options = Options::default();
    options.set(text).unwrap();
    options
}

#[test]
fn options_are_read_as_qemu_img_writes_them() {
    let expected = Options {
        cluster_size: 2 << 20,
        compat: Compat::V0_10,
        preallocation: Preallocation::Falloc,
        ..Options::default()
    };
    assert_eq!(options("cluster_size=2M,compat=0.10,preallocation=falloc"), expected);
    for wrong in ["cluster_sise=4k", "compat=2.0", "cluster_size=x", "preallocation"] {
        let why = Options::default().set(wrong).unwrap_err();
        assert!(matches!(&why, Error::Option { option, .. } if option == wrong), "{why}");
    }
}

#[test]
fn new_images_are_sound_and_empty() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let image = folder.path("image");
    for (size, set) in [
        ("0", ""),
        ("1", ""),
        ("10G", ""),
        ("64T", ""),
        ("1G", "cluster_size=512"),
        ("8G", "cluster_size=2M"),
        ("4G", "compat=0.10"),
    ] {
        let size: ByteSize = size.parse().unwrap();
        disk::create(&image, "qcow2", Some(size), &options(set)).unwrap();
        qemu_img(&["check", "-q", "-f", "qcow2", text(&image)]);
        let info = disk::info(&image, None).unwrap();
        assert_eq!(info.facts.virtual_size, Some(size.bytes().next_multiple_of(512)));
        let said = qemu_img(&["info", "--output=json", text(&image)]);
        assert!(
            said.contains(&format!("\"virtual-size\": {},", size.bytes().next_multiple_of(512)))
        );
    }
}

#[test]
fn an_option_that_the_format_has_not_is_refused_and_nothing_is_made() {
    let folder = Folder::new();
    let image = folder.path("image");
    let size = Some(ByteSize::new(1 << 20));
    for (format, set) in [
        ("qcow2", "cluster_size=3000"),
        ("qcow2", "cluster_size=256"),
        ("qcow2", "cluster_size=4M"),
        ("qcow2", "preallocation=full"),
        ("vmdk", ""),
        ("floppy", ""),
    ] {
        assert!(disk::create(&image, format, size, &options(set)).is_err(), "{format} {set}");
    }
    let none = disk::create(&image, "qcow2", None, &Options::default());
    assert!(matches!(none, Err(Error::Option { .. })), "{none:?}");
    let huge = Some(ByteSize::new(1 << 62));
    assert!(disk::create(&image, "qcow2", huge, &options("cluster_size=512")).is_err());
    assert_eq!(fs::read_dir(image.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn raw_images_take_their_room_as_asked() {
    let folder = Folder::new();
    let image = folder.path("image");
    for (set, most, least) in [
        ("", 0, 0),
        ("preallocation=falloc", 2 << 20, 1 << 20),
        ("preallocation=full", 2 << 20, 1 << 20),
    ] {
        disk::create(&image, "raw", Some(ByteSize::new(1 << 20)), &options(set)).unwrap();
        let info = disk::info(&image, Some("raw")).unwrap();
        assert_eq!(info.length.bytes(), 1 << 20);
        assert!((least..=most).contains(&info.allocated.bytes()), "{set}: {}", info.allocated);
    }
}

#[test]
fn details_are_those_that_qemu_img_tells() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let image = folder.path("image");
    qemu_img(&["create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", text(&image), "1G"]);
    qemu_img(&["snapshot", "-c", "one", text(&image)]);
    let facts = disk::info(&image, None).unwrap().facts;
    let detail =
        |name| facts.details.iter().find(|(known, _)| *known == name).map(|(_, d)| d.clone());
    assert_eq!(detail("compat"), Some(Detail::Text("1.1".into())));
    assert_eq!(detail("lazy-refcounts"), Some(Detail::Flag(true)));
    assert_eq!(detail("refcount-bits"), Some(Detail::Number(16)));
    assert_eq!(detail("snapshots"), Some(Detail::Number(1)));
    assert_eq!(facts.cluster_size, Some(65536));
}

#[test]
fn disks_grow_and_keep_what_they_hold() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let (raw, image, back) = (folder.path("raw"), folder.path("image"), folder.path("back"));
    let mut expected = peer::disk(&raw);
    expected.resize(100 << 20, 0);
    for (cluster, far) in [("512", "60G"), ("4096", "200G"), ("65536", "9T"), ("2M", "9T")] {
        let set = format!("cluster_size={cluster}");
        qemu_img(&["convert", "-O", "qcow2", "-o", &set, text(&raw), text(&image)]);
        for size in ["17M", "+3M", "100M"] {
            let resize: Resize = size.parse().unwrap();
            disk::resize(&image, Some("qcow2"), resize, Shrink::Refuse).unwrap();
            qemu_img(&["check", "-q", text(&image)]);
        }
        qemu_img(&["convert", "-O", "raw", text(&image), text(&back)]);
        assert!(fs::read(&back).unwrap() == expected, "clusters of {cluster}");
        // The L1 table has to move, and the refcount table with small clusters, too.
        disk::resize(&image, None, far.parse().unwrap(), Shrink::Refuse).unwrap();
        qemu_img(&["check", "-q", text(&image)]);
        let disk = disk::open(&image, None, References::Refuse).unwrap();
        let mut begin = vec![0; expected.len()];
        disk.read_at(&mut begin, 0).unwrap();
        assert!(begin == expected, "clusters of {cluster}");
    }
}

#[test]
fn disks_shrink_when_asked_to_and_grow_back_empty() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let (raw, image, back) = (folder.path("raw"), folder.path("image"), folder.path("back"));
    let content = peer::disk(&raw);
    for options in [
        &["-o", "cluster_size=512"][..],
        &["-o", "cluster_size=65536"],
        &["-o", "cluster_size=2M"],
        &["-c", "-o", "cluster_size=4096"],
        &["-c", "-o", "cluster_size=65536"],
        &["-o", "cluster_size=65536,extended_l2=on"],
        &["-o", "cluster_size=65536,preallocation=metadata"],
    ] {
        let (from, to) = (text(&raw), text(&image));
        qemu_img(&[&["convert", "-O", "qcow2"][..], options, &[from, to]].concat());
        for (size, kept) in [("10M", 10_usize << 20), ("1000k", 1000 << 10), ("0", 0)] {
            disk::resize(&image, None, size.parse().unwrap(), Shrink::Allow).unwrap();
            qemu_img(&["check", "-q", text(&image)]);
            let disk = disk::open(&image, None, References::Refuse).unwrap();
            let mut begin = vec![1; kept];
            disk.read_at(&mut begin, 0).unwrap();
            assert!(begin == content[..kept], "{options:?} {size}");
        }
        // What was cut off does not come back.
        qemu_img(&[&["convert", "-O", "qcow2"][..], options, &[from, to]].concat());
        disk::resize(&image, None, "70000".parse().unwrap(), Shrink::Allow).unwrap();
        qemu_img(&["check", "-q", text(&image)]);
        disk::resize(&image, None, "16M".parse().unwrap(), Shrink::Refuse).unwrap();
        qemu_img(&["convert", "-O", "raw", text(&image), text(&back)]);
        let mut expected = vec![0; 16 << 20];
        let kept = 70_000_usize.next_multiple_of(512);
        expected[..kept].copy_from_slice(&content[..kept]);
        assert!(fs::read(&back).unwrap() == expected, "{options:?}");
    }
}

#[test]
fn a_disk_of_no_size_grows() {
    if peer::missing() {
        return;
    }
    let folder = Folder::new();
    let image = folder.path("image");
    let make: [&dyn Fn(); 2] =
        [&|| drop(qemu_img(&["create", "-q", "-f", "qcow2", text(&image), "0"])), &|| {
            disk::create(&image, "qcow2", Some(ByteSize::new(0)), &Options::default()).unwrap()
        }];
    for make in make {
        make();
        disk::resize(&image, None, "1G".parse().unwrap(), Shrink::Refuse).unwrap();
        qemu_img(&["check", "-q", text(&image)]);
        assert!(qemu_img(&["info", text(&image)]).contains("1 GiB"));
    }
}

#[test]
fn nothing_is_cut_off_unless_asked_for() {
    let folder = Folder::new();
    let image = folder.path("image");
    fs::write(&image, vec![7; 4 << 20]).unwrap();
    let less: Resize = "-1M".parse().unwrap();
    let refused = disk::resize(&image, Some("raw"), less, Shrink::Refuse);
    assert!(matches!(refused, Err(Error::Shrinks { .. })), "{refused:?}");
    assert_eq!(fs::metadata(&image).unwrap().len(), 4 << 20);
    disk::resize(&image, Some("raw"), less, Shrink::Allow).unwrap();
    assert_eq!(fs::read(&image).unwrap(), vec![7; 3 << 20]);
    let below = disk::resize(&image, Some("raw"), "-1G".parse().unwrap(), Shrink::Allow);
    assert!(matches!(below, Err(Error::Option { .. })), "{below:?}");
}

#[test]
fn what_may_be_no_disk_stays_as_it_is() {
    let folder = Folder::new();
    let file = folder.path("passwd");
    fs::write(&file, "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    let more: Resize = "+1G".parse().unwrap();
    let refused = disk::resize(&file, None, more, Shrink::Refuse);
    assert!(matches!(refused, Err(Error::NotHandled { .. })), "{refused:?}");
    assert_eq!(fs::metadata(&file).unwrap().len(), 32);
    disk::resize(&file, Some("raw"), "1M".parse().unwrap(), Shrink::Refuse).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().len(), 1 << 20);
}
