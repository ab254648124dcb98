//! The header of a qcow2 image (QEMU, docs/interop/qcow2.rst, "Header").

use crate::inspect::InspectError;
use crate::view::{Halt, View, number};

pub(crate) const MAGIC: &[u8; 4] = b"QFI\xfb";

/// What an older reader must understand, or leave the image alone ("incompatible_features").
pub(crate) mod incompatible {
    pub(crate) const DIRTY: u64 = 1;
    pub(crate) const CORRUPT: u64 = 1 << 1;
    pub(crate) const DATA_FILE: u64 = 1 << 2;
    pub(crate) const COMPRESSION_TYPE: u64 = 1 << 3;
    pub(crate) const EXTENDED_L2: u64 = 1 << 4;
    pub(crate) const KNOWN: u64 = 0b1_1111;
}

/// "compatible_features": refcounts may be behind after a crash.
pub(crate) const LAZY_REFCOUNTS: u64 = 1;

/// Limits that QEMU sets to what it opens (block/qcow2.h).
const CLUSTER_BITS: std::ops::RangeInclusive<u32> = 9..=21;
const L1_BYTES: u64 = 32 << 20;
const REFCOUNT_TABLE_BYTES: u64 = 8 << 20;
const SNAPSHOTS: u32 = 65536;
const NAME: u32 = 1023;
/// There are five kinds of header extension. A stream of them would be read again and again.
const EXTENSIONS: usize = 64;

/// The lengths of the header of version 2, and of version 3 as we write it.
const LENGTH_2: u32 = 72;
const LENGTH_3: u32 = 112;

/// "Header extensions".
const EXTENSION_END: u32 = 0;
pub(crate) const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;
const EXTENSION_DATA_FILE: u32 = 0x4441_5441;

/// The header, in its own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) cluster_bits: u32,
    /// Bytes of the disk.
    pub(crate) size: u64,
    /// 0: none; 1: AES; 2: LUKS.
    pub(crate) crypt_method: u32,
    /// Entries of the L1 table.
    pub(crate) l1_size: u32,
    pub(crate) l1_table_offset: u64,
    pub(crate) refcount_table_offset: u64,
    pub(crate) refcount_table_clusters: u32,
    pub(crate) snapshots: u32,
    pub(crate) incompatible: u64,
    pub(crate) compatible: u64,
    /// The width of a refcount is 2 to the power of it.
    pub(crate) refcount_order: u32,
    /// 0: deflate; 1: zstd.
    pub(crate) compression_type: u8,
    pub(crate) backing_file: Option<String>,
    pub(crate) backing_format: Option<String>,
    /// The name of the external data file, where it is said.
    pub(crate) data_file: Option<String>,
}

impl Header {
    /// Bytes of a cluster.
    pub(crate) fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Whether all of the disk's content is in another file.
    pub(crate) fn has_data_file(&self) -> bool {
        self.incompatible & incompatible::DATA_FILE != 0 || self.data_file.is_some()
    }

    /// Bytes of an entry of an L2 table.
    pub(crate) fn l2_entry(&self) -> u64 {
        if self.incompatible & incompatible::EXTENDED_L2 != 0 { 16 } else { 8 }
    }

    /// Bytes of the disk that one L2 table describes.
    pub(crate) fn l2_reach(&self) -> u64 {
        self.cluster() / self.l2_entry() * self.cluster()
    }

    /// How many entries an L1 table needs for a disk of `size` bytes; none when that is more than
    /// a table may have.
    pub(crate) fn l1_needed(&self, size: u64) -> Option<u32> {
        let needed = size.div_ceil(self.l2_reach());
        u32::try_from(needed).ok().filter(|needed| u64::from(*needed) * 8 <= L1_BYTES)
    }

    /// The header as it is on the disk, with its extensions and the backing file's name. There are
    /// no snapshots, and no encryption.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let format = self.backing_format.as_deref().unwrap_or_default().as_bytes();
        let length = if self.version == 2 { LENGTH_2 } else { LENGTH_3 };
        let mut extensions = Vec::new();
        if !format.is_empty() {
            extensions.extend_from_slice(&EXTENSION_BACKING_FORMAT.to_be_bytes());
            extensions.extend_from_slice(&(format.len() as u32).to_be_bytes());
            extensions.extend_from_slice(format);
            extensions.resize(extensions.len().next_multiple_of(8), 0);
        }
        extensions.extend_from_slice(&[0; 8]);
        let name = self.backing_file.as_deref().unwrap_or_default().as_bytes();
        let place = if name.is_empty() { 0 } else { u64::from(length) + extensions.len() as u64 };
        let mut bytes = Vec::from(*MAGIC);
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&place.to_be_bytes());
        bytes.extend_from_slice(&(name.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&self.cluster_bits.to_be_bytes());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend_from_slice(&self.crypt_method.to_be_bytes());
        bytes.extend_from_slice(&self.l1_size.to_be_bytes());
        bytes.extend_from_slice(&self.l1_table_offset.to_be_bytes());
        bytes.extend_from_slice(&self.refcount_table_offset.to_be_bytes());
        bytes.extend_from_slice(&self.refcount_table_clusters.to_be_bytes());
        bytes.extend_from_slice(&[0; 12]);
        if self.version > 2 {
            bytes.extend_from_slice(&self.incompatible.to_be_bytes());
            bytes.extend_from_slice(&self.compatible.to_be_bytes());
            bytes.extend_from_slice(&[0; 8]);
            bytes.extend_from_slice(&self.refcount_order.to_be_bytes());
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.push(self.compression_type);
            bytes.resize(length as usize, 0);
        }
        bytes.extend_from_slice(&extensions);
        bytes.extend_from_slice(name);
        bytes
    }

    /// Reads a header, with its extensions.
    pub(crate) fn read(view: &View) -> Result<Header, Halt> {
        let fixed = view.bytes(0, LENGTH_2.into())?;
        let version = number::be32(fixed, 4);
        if !(2..=3).contains(&version) {
            return Err(malformed(format!("version {version}, of which 2 and 3 are known")).into());
        }
        let mut header = Header {
            version,
            cluster_bits: number::be32(fixed, 20),
            size: number::be64(fixed, 24),
            crypt_method: number::be32(fixed, 32),
            l1_size: number::be32(fixed, 36),
            l1_table_offset: number::be64(fixed, 40),
            refcount_table_offset: number::be64(fixed, 48),
            refcount_table_clusters: number::be32(fixed, 56),
            snapshots: number::be32(fixed, 60),
            incompatible: 0,
            compatible: 0,
            refcount_order: 4,
            compression_type: 0,
            backing_file: None,
            backing_format: None,
            data_file: None,
        };
        let backing = (number::be64(fixed, 8), number::be32(fixed, 16));
        header.check_geometry()?;
        let length = header.read_version_3(view)?;
        header.check_features()?;
        header.read_extensions(view, length)?;
        header.read_backing(view, backing)?;
        Ok(header)
    }

    /// The fields that version 3 adds; the answer is the header's length.
    fn read_version_3(&mut self, view: &View) -> Result<u64, Halt> {
        if self.version == 2 {
            return Ok(LENGTH_2.into());
        }
        let fixed = view.bytes(0, 104)?;
        self.incompatible = number::be64(fixed, 72);
        self.compatible = number::be64(fixed, 80);
        self.refcount_order = number::be32(fixed, 96);
        let length = u64::from(number::be32(fixed, 100));
        if length < 104 || length > self.cluster() {
            return Err(malformed(format!("a header of {length} bytes")).into());
        }
        if length > 104 {
            self.compression_type = view.bytes(104, 1)?[0];
        }
        Ok(length)
    }

    fn check_geometry(&self) -> Result<(), InspectError> {
        if !CLUSTER_BITS.contains(&self.cluster_bits) {
            let bits = self.cluster_bits;
            return Err(malformed(format!("cluster_bits {bits}, of which 9 to 21 are allowed")));
        }
        if i64::try_from(self.size).is_err() {
            return Err(malformed(format!("a size of {} bytes", self.size)));
        }
        let limits = [
            ("L1 table", u64::from(self.l1_size) * 8, L1_BYTES),
            (
                "refcount table",
                u64::from(self.refcount_table_clusters) << self.cluster_bits,
                REFCOUNT_TABLE_BYTES,
            ),
        ];
        for (what, bytes, most) in limits {
            if bytes > most {
                return Err(malformed(format!("a {what} of {bytes} bytes, of {most} at most")));
            }
        }
        if self.snapshots > SNAPSHOTS {
            return Err(malformed(format!("{} snapshots", self.snapshots)));
        }
        for (what, offset) in
            [("L1 table", self.l1_table_offset), ("refcount table", self.refcount_table_offset)]
        {
            if offset % self.cluster() != 0 {
                return Err(malformed(format!(
                    "a {what} at byte {offset}, not at a cluster's start"
                )));
            }
        }
        Ok(())
    }

    /// Limits that depend on the features.
    fn check_features(&self) -> Result<(), InspectError> {
        let unknown = self.incompatible & !incompatible::KNOWN;
        if unknown != 0 {
            return Err(malformed(format!("unknown incompatible features {unknown:#x}")));
        }
        if self.refcount_order > 6 {
            return Err(malformed(format!("refcount_order {}", self.refcount_order)));
        }
        let said = self.incompatible & incompatible::COMPRESSION_TYPE != 0;
        if self.compression_type > 1 || said != (self.compression_type != 0) {
            return Err(malformed(format!("compression type {}", self.compression_type)));
        }
        if self.crypt_method > 2 {
            return Err(malformed(format!("encryption method {}", self.crypt_method)));
        }
        if self.l1_needed(self.size).is_none_or(|needed| needed > self.l1_size) {
            let (size, l1) = (self.size, self.l1_size);
            let what =
                format!("a size of {size} bytes, for which an L1 table of {l1} is too short");
            return Err(malformed(what));
        }
        Ok(())
    }

    /// Extensions go from the header's end to the backing file's name, within the first cluster.
    fn read_extensions(&mut self, view: &View, length: u64) -> Result<(), Halt> {
        let mut at = length;
        for _ in 0..EXTENSIONS {
            if at + 8 > self.cluster() {
                return Ok(());
            }
            let entry = match view.bytes(at, 8) {
                // An image may end behind its header; then it has no extensions.
                Err(Halt::Refuse(InspectError::Truncated { .. })) => return Ok(()),
                entry => entry?,
            };
            let (kind, length) = (number::be32(entry, 0), u64::from(number::be32(entry, 4)));
            if kind == EXTENSION_END {
                return Ok(());
            }
            at += 8;
            if length > self.cluster() - at {
                let what = format!("a header extension of {length} bytes at byte {at}");
                return Err(malformed(what).into());
            }
            if [EXTENSION_BACKING_FORMAT, EXTENSION_DATA_FILE].contains(&kind) {
                let text = String::from_utf8_lossy(view.bytes(at, length)?).into_owned();
                match kind {
                    EXTENSION_DATA_FILE => self.data_file = Some(text),
                    _ => self.backing_format = Some(text),
                }
            }
            at += length.next_multiple_of(8);
        }
        Err(malformed(format!("more than {EXTENSIONS} header extensions")).into())
    }

    fn read_backing(&mut self, view: &View, (offset, length): (u64, u32)) -> Result<(), Halt> {
        if offset == 0 {
            return Ok(());
        }
        if length > NAME || offset.saturating_add(length.into()) > self.cluster() {
            let what = format!("a backing file's name of {length} bytes at byte {offset}");
            return Err(malformed(what).into());
        }
        let name = view.bytes(offset, length.into())?;
        self.backing_file = Some(String::from_utf8_lossy(name).into_owned());
        Ok(())
    }
}

pub(crate) fn malformed(what: impl Into<String>) -> InspectError {
    InspectError::malformed("qcow2", what)
}
