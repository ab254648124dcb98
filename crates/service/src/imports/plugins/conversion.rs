//! `image_conversion`: images are stored in the format that the operator chose.

use std::ops::ControlFlow;

use disk::{Detail, Facts, Options, PartitionTables, References};
use image::{ContainerFormat, DiskFormat};

use super::{Bounds, Plugin, PluginError, Staged, beside};

#[derive(Debug)]
pub(super) struct Conversion;

impl Plugin for Conversion {
    fn name(&self) -> &'static str {
        "image_conversion"
    }

    fn needs_file(&self) -> bool {
        true
    }

    fn change(&self, staged: Staged, bounds: &Bounds) -> Result<Staged, PluginError> {
        let found = found(&staged, &bounds.vmdk_types)?;
        if bounds.tables == PartitionTables::Sound {
            disk::expect_sound_partitions(&staged.path)?;
        }
        // An optical disc is no disk in another format.
        if found == DiskFormat::Iso.as_str() || staged.disk == bounds.format {
            return Ok(staged);
        }
        let source = disk::open(&staged.path, Some(found), References::Refuse)?;
        if bounds.format == DiskFormat::Raw && source.size() > bounds.size {
            return Err(PluginError::TooLarge(bounds.size));
        }
        let path = beside(&staged.path, bounds.format.as_str());
        let mut go_on = |_, _| match bounds.stop.is_set() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let format = bounds.format.as_str();
        disk::convert(source.as_ref(), &path, format, &Options::default(), &mut go_on)?;
        Ok(Staged { path, disk: bounds.format, container: ContainerFormat::Bare })
    }
}

/// The format that the bytes show, which has to be the declared one. A disk with a partition table
/// is raw.
fn found(staged: &Staged, vmdk_types: &[String]) -> Result<&'static str, PluginError> {
    let declared = staged.disk.as_str();
    let info = disk::info(&staged.path, None)?;
    let found = info.format;
    let same = found == declared || (declared == "raw" && found == "gpt");
    match same {
        true if found == "gpt" => Ok("raw"),
        true if found == "vmdk" => check_vmdk(&info.facts, vmdk_types).map(|()| found),
        true => Ok(found),
        false => Err(PluginError::Refused(format!(
            "the image is declared as {declared}, but its content is {found}"
        ))),
    }
}

/// In Glance's words.
fn check_vmdk(facts: &Facts, allowed: &[String]) -> Result<(), PluginError> {
    let kind = facts.details.iter().find_map(|(name, detail)| match detail {
        Detail::Text(kind) if *name == "create-type" => Some(kind),
        _ => None,
    });
    let refused = |why: &str| Err(PluginError::Refused(why.to_owned()));
    match kind.filter(|kind| !kind.is_empty()) {
        None => refused("Unable to determine VMDK create-type"),
        Some(_) if allowed.is_empty() => {
            refused("Image is a VMDK, but no VMDK createType is specified")
        }
        Some(kind) if !allowed.contains(kind) => refused("Invalid VMDK create-type specified"),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use config::Config;
    use disk::ByteSize;

    use super::super::super::ImportSettings;
    use super::super::Stop;
    use super::*;

    fn staged(path: &Path, disk: DiskFormat) -> Staged {
        Staged { path: path.to_owned(), disk, container: ContainerFormat::Bare }
    }

    fn bounds(format: DiskFormat) -> Bounds {
        Bounds {
            size: 1 << 30,
            format,
            tables: PartitionTables::Sound,
            vmdk_types: Arc::default(),
            stop: Stop::default(),
        }
    }

    #[test]
    fn only_kinds_of_vmdk_that_the_operator_allows_are_converted() {
        let facts = |kind: &str| Facts {
            details: vec![("create-type", Detail::Text(kind.to_owned()))],
            ..Facts::default()
        };
        let cases = [
            (facts("streamOptimized"), vec!["streamOptimized"], None),
            (facts("streamOptimized"), vec!["monolithicSparse"], Some("Invalid VMDK create-type")),
            (facts("streamOptimized"), vec![], Some("no VMDK createType")),
            (facts(""), vec!["streamOptimized"], Some("Unable to determine")),
            (Facts::default(), vec!["streamOptimized"], Some("Unable to determine")),
        ];
        for (facts, allowed, expected) in cases {
            let allowed: Vec<_> = allowed.into_iter().map(str::to_owned).collect();
            let refused = check_vmdk(&facts, &allowed).err().map(|error| error.to_string());
            assert_eq!(refused.is_some(), expected.is_some(), "{facts:?} {allowed:?}");
            assert!(refused.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
    }

    /// A sparse extent ("Hosted Sparse Extents" of the Virtual Disk Format) with a descriptor, and
    /// a directory of nothing behind it.
    fn vmdk(kind: &str) -> Vec<u8> {
        let mut image = vec![0; 512 * 22];
        image[..4].copy_from_slice(b"KDMV");
        // Sectors of the disk, of a grain, before the descriptor, and of it; the entries of a table;
        // sectors before the directory.
        for (at, value) in [(12, 2048_u64), (20, 128), (28, 1), (36, 20), (44, 512), (56, 21)] {
            image[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let text = format!("# Disk DescriptorFile\ncreateType=\"{kind}\"\n");
        image[512..512 + text.len()].copy_from_slice(text.as_bytes());
        image
    }

    #[test]
    fn a_vmdk_is_converted_where_options_allow_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, vmdk("monolithicSparse")).unwrap();
        for (options, expected) in [
            ("", Ok(2048 * 512)),
            ("vmdk_allowed_types = streamOptimized, monolithicSparse", Ok(2048 * 512)),
            ("vmdk_allowed_types = streamOptimized", Err("Invalid VMDK create-type specified")),
            ("vmdk_allowed_types =", Err("Image is a VMDK, but no VMDK createType is specified")),
        ] {
            let mut config = Config::default();
            let text = format!("[image_format]\n{options}\n");
            config.add_text(&text, Path::new("glance-api.conf")).unwrap();
            let settings = ImportSettings::from_config(&config, "w").unwrap();
            let bounds = Bounds { vmdk_types: settings.vmdk_types, ..bounds(DiskFormat::Raw) };
            let changed = Conversion.change(staged(&path, DiskFormat::Vmdk), &bounds);
            let length = changed.map(|raw| std::fs::metadata(raw.path).unwrap().len());
            let length = length.map_err(|refused| refused.to_string());
            assert_eq!(length, expected.map_err(str::to_owned), "{options}");
        }
    }

    #[test]
    fn disks_become_what_the_operator_chose() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        disk::create(&path, "qcow2", Some(ByteSize::new(1 << 20)), &Options::default()).unwrap();
        let raw = Conversion.change(staged(&path, DiskFormat::Qcow2), &bounds(DiskFormat::Raw));
        let raw = raw.unwrap();
        assert_eq!(raw.disk, DiskFormat::Raw);
        assert_eq!(std::fs::metadata(&raw.path).unwrap().len(), 1 << 20);
        assert!(path.exists(), "what came stays until the import has ended");

        let small = Bounds { size: 1 << 19, ..bounds(DiskFormat::Raw) };
        let too_large = Conversion.change(staged(&path, DiskFormat::Qcow2), &small);
        assert!(matches!(too_large, Err(PluginError::TooLarge(_))));
    }

    #[test]
    fn a_conversion_that_nobody_waits_for_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, vec![7; 8 << 20]).unwrap();
        let bounds = bounds(DiskFormat::Qcow2);
        drop(bounds.stop.when_dropped());
        assert!(Conversion.change(staged(&path, DiskFormat::Raw), &bounds).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_disk_of_the_chosen_format_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, vec![0; 4096]).unwrap();
        let before = staged(&path, DiskFormat::Raw);
        assert_eq!(Conversion.change(before.clone(), &bounds(DiskFormat::Raw)).unwrap(), before);
    }

    #[test]
    fn a_partition_table_that_is_unsound_is_refused_unless_the_operator_forgives_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let mut disk = vec![0; 4096];
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        std::fs::write(&path, &disk).unwrap();
        let strict = bounds(DiskFormat::Qcow2);
        let refused = Conversion.change(staged(&path, DiskFormat::Raw), &strict).unwrap_err();
        assert!(refused.to_string().contains("no partitions"), "{refused}");
        let lenient = Bounds { tables: PartitionTables::Any, ..strict };
        Conversion.change(staged(&path, DiskFormat::Raw), &lenient).unwrap();
    }

    #[test]
    fn what_is_not_as_declared_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, vec![0; 4096]).unwrap();
        let refused = Conversion.change(staged(&path, DiskFormat::Qcow2), &bounds(DiskFormat::Raw));
        assert!(refused.is_err());
    }
}
