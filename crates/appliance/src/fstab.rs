//! What the guest mounts where: `fstab(5)`.

use std::path::{Path, PathBuf};

use crate::devices::Device;

/// A line of `fstab`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How the device is named.
    pub(crate) source: String,
    /// Where it is mounted, from the guest's root.
    pub(crate) place: PathBuf,
    /// Its options that matter here: a btrfs subvolume.
    pub(crate) subvolume: Option<String>,
}

/// The lines that name a place below the root, outermost first.
pub(crate) fn below_root(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = text.lines().filter_map(parse).collect();
    entries.sort_by_key(|entry| entry.place.components().count());
    entries
}

fn parse(line: &str) -> Option<Entry> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_whitespace();
    let source = unescaped(fields.next()?);
    let place = unescaped(fields.next()?);
    let inner = place.strip_prefix('/').filter(|inner| !inner.is_empty())?;
    let options = fields.nth(1).unwrap_or_default();
    let subvolume = options.split(',').find_map(|option| option.strip_prefix("subvol="));
    Some(Entry {
        source: source.trim_matches('"').to_owned(),
        place: Path::new(inner).to_owned(),
        subvolume: subvolume.map(str::to_owned),
    })
}

/// `fstab` writes a space as `\040`.
fn unescaped(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t")
}

impl Entry {
    /// The device that it names. A disk may have had another name where the guest ran: of
    /// `/dev/sda2` only the 2 counts.
    pub(crate) fn device<'a>(&self, devices: &'a [Device]) -> Option<&'a Device> {
        let (key, value) = self.source.split_once('=').unwrap_or(("", &self.source));
        let value = value.trim_matches('"');
        devices.iter().find(|device| match key {
            "UUID" => device.superblock.uuid.eq_ignore_ascii_case(value),
            "LABEL" => device.superblock.label == value,
            "PARTLABEL" => device.partition_label == value,
            "" => device.number.is_some() && device.number == partition_number(value),
            _ => false,
        })
    }
}

/// The number at the end of `/dev/sda2`, `/dev/vda2`, `/dev/nvme0n1p2`.
fn partition_number(path: &str) -> Option<u32> {
    let name = path.strip_prefix("/dev/")?;
    if !["sd", "vd", "xvd", "hd", "nvme"].iter().any(|kind| name.starts_with(kind)) {
        return None;
    }
    let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
    name[digits..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::superblock::Superblock;

    fn device(number: u32, uuid: &str, label: &str) -> Device {
        Device {
            path: format!("/dev/vda{number}").into(),
            superblock: Superblock { kind: "ext4", uuid: uuid.into(), label: label.into() },
            number: Some(number),
            partition_label: format!("part{number}"),
        }
    }

    #[test]
    fn the_lines_below_the_root_come_outermost_first() {
        let text = "# a comment\nUUID=1 / ext4 defaults 0 1\nLABEL=EFI /boot/efi vfat umask=0077\n\
                    UUID=2 /boot ext4\nUUID=3 none swap sw\nUUID=4 /my\\040home btrfs x,subvol=@home";
        let entries = below_root(text);
        let places: Vec<_> = entries.iter().map(|entry| entry.place.to_str().unwrap()).collect();
        assert_eq!(places, ["boot", "my home", "boot/efi"]);
        assert_eq!(entries[1].subvolume.as_deref(), Some("@home"));
    }

    #[test]
    fn devices_are_found_by_every_name_they_have() {
        let devices = [device(1, "aa-bb", "root"), device(15, "0A2B-3C0D", "EFI")];
        for (source, number) in [
            ("UUID=0a2b-3c0d", Some(15)),
            ("LABEL=root", Some(1)),
            ("PARTLABEL=\"part15\"", Some(15)),
            ("/dev/sda15", Some(15)),
            ("/dev/nvme0n1p1", Some(1)),
            ("/dev/mapper/vg-root", None),
            ("UUID=none", None),
        ] {
            let line = format!("{source} /x ext4");
            let entry = below_root(&line).remove(0);
            assert_eq!(entry.device(&devices).and_then(|device| device.number), number, "{source}");
        }
    }
}
