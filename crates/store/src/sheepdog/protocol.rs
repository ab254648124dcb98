//! Requests and responses as they are on the wire: headers of 48 bytes in little endian, then data.
//!
//! Facts: `include/sheepdog_proto.h` of Sheepdog, and conversations between its `dog` and `sheep`.

use super::outcome::SUCCESS;

/// The length of a header, in bytes.
pub(super) const HEADER: usize = 48;

/// The version that the objects and VDIs of clients are asked for in.
const VERSION: u8 = 0x02;

/// The longest name of a VDI or tag of a snapshot, in bytes: fields of 256 end with a zero.
pub(super) const LONGEST_NAME: usize = NAME - 1;
const NAME: usize = 256;

/// VDI ids are of 24 bits.
pub(super) const LARGEST_VDI: u32 = (1 << 24) - 1;

/// The object that describes a VDI has this bit.
const INODE: u64 = 1 << 63;

mod flag {
    pub(super) const WRITE: u16 = 0x01;
    pub(super) const DIRECT: u16 = 0x08;
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Operation {
    CreateObject = 0x01,
    ReadObject = 0x02,
    WriteObject = 0x03,
    NewVdi = 0x11,
    VdiInfo = 0x14,
    DeleteVdi = 0x17,
}

/// Whether a cache of the node may take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    Allowed,
    Bypassed,
}

impl Caching {
    fn flag(self) -> u16 {
        match self {
            Self::Allowed => 0,
            Self::Bypassed => flag::DIRECT,
        }
    }
}

/// How many copies of objects there are, or by which code they are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Redundancy {
    pub(super) copies: u8,
    pub(super) policy: u8,
}

/// A VDI that is to be made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NewVdi {
    /// In bytes.
    pub(super) size: u64,
    /// The VDI whose objects it shares; 0 for none.
    pub(super) base: u32,
    /// Without any copies, as the cluster does it.
    pub(super) redundancy: Redundancy,
    /// The logarithm of the length of objects; 0 as the cluster has it.
    pub(super) shift: u8,
    /// Whether the base becomes a snapshot, and this is what is written from now on.
    pub(super) snapshot: bool,
}

/// A request without its data. Epoch and id are always 0: a node knows its epoch itself, and a
/// connection has one request at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) operation: Operation,
    flags: u16,
    /// How many bytes go with it, or are to come back.
    pub(super) length: u32,
    fields: [u8; 32],
}

impl Request {
    /// Looks a name up. The data is [`named`] with a tag.
    pub(super) fn info() -> Self {
        Self::new(Operation::VdiInfo, flag::WRITE, 2 * NAME as u32)
    }

    /// Removes the VDI of a name. The data is [`named`] with a tag.
    pub(super) fn delete() -> Self {
        Self::new(Operation::DeleteVdi, flag::WRITE, 2 * NAME as u32)
    }

    /// Makes a VDI. The data is [`name`].
    pub(super) fn new_vdi(new: NewVdi) -> Self {
        let mut request = Self::new(Operation::NewVdi, flag::WRITE, NAME as u32);
        request.set(0, &new.size.to_le_bytes());
        request.set(8, &new.base.to_le_bytes());
        // Between them is the store policy: 0, an index that is no tree.
        request.set(12, &[new.redundancy.copies, new.redundancy.policy, 0, new.shift]);
        request.set(16, &u32::from(new.snapshot).to_le_bytes());
        request
    }

    /// Reads `length` bytes of an object.
    pub(super) fn read(object: u64, offset: u32, length: u32, caching: Caching) -> Self {
        let mut request = Self::new(Operation::ReadObject, caching.flag(), length);
        request.set(0, &object.to_le_bytes());
        request.set(24, &offset.to_le_bytes());
        request
    }

    /// Writes `length` bytes into an object, which is made by it or is there.
    pub(super) fn write(
        operation: Operation,
        object: u64,
        offset: u32,
        length: u32,
        redundancy: Redundancy,
        caching: Caching,
    ) -> Self {
        let mut request = Self::new(operation, flag::WRITE | caching.flag(), length);
        request.set(0, &object.to_le_bytes());
        request.set(16, &[redundancy.copies, redundancy.policy]);
        request.set(24, &offset.to_le_bytes());
        request
    }

    fn new(operation: Operation, flags: u16, length: u32) -> Self {
        Self { operation, flags, length, fields: [0; 32] }
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.fields[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Whether its length is that of what comes back.
    pub(super) fn reads(&self) -> bool {
        self.flags & flag::WRITE == 0
    }

    /// As it is on the wire.
    pub(super) fn encoded(&self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[0] = VERSION;
        header[1] = self.operation as u8;
        header[2..4].copy_from_slice(&self.flags.to_le_bytes());
        header[12..16].copy_from_slice(&self.length.to_le_bytes());
        header[16..].copy_from_slice(&self.fields);
        header
    }
}

/// The object that describes a VDI.
pub(super) fn inode(vdi: u32) -> u64 {
    INODE | u64::from(vdi) << 32
}

/// The object of a VDI that holds the bytes from `index` times the length of objects on.
pub(super) fn object(vdi: u32, index: u32) -> u64 {
    u64::from(vdi) << 32 | u64::from(index)
}

/// The data of a request that names a VDI.
pub(super) fn name(name: &str) -> Vec<u8> {
    let mut data = name.as_bytes().to_vec();
    data.truncate(LONGEST_NAME);
    data.resize(NAME, 0);
    data
}

/// The data of a request that names a VDI or, with a tag, a snapshot of it.
pub(super) fn named(vdi: &str, tag: &str) -> Vec<u8> {
    [name(vdi), name(tag)].concat()
}

/// A response without its data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Response {
    /// 0, or what went wrong.
    pub(super) result: u32,
    /// How many bytes come with it.
    pub(super) length: u32,
    /// The VDI that was looked up or made. Without meaning where something went wrong.
    pub(super) vdi: u32,
}

impl Response {
    /// Reads a response to `request`; a text of what is wrong where it is none.
    pub(super) fn decode(header: &[u8; HEADER], request: &Request) -> Result<Self, String> {
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        if header[1] != request.operation as u8 {
            return Err(format!("operation {:#x} is answered", header[1]));
        }
        if word(8) != 0 {
            return Err(format!("request {} is answered, which was not made", word(8)));
        }
        let response = Self { result: word(16), length: word(12), vdi: word(24) };
        let asked = if request.reads() { request.length } else { 0 };
        let (length, done) = (response.length, response.result == SUCCESS);
        if length > asked || (done && length < asked) {
            return Err(format!("{length} bytes come, and {asked} were asked for"));
        }
        Ok(response)
    }
}
