//! A cluster for the tests: VDIs and objects, as `sheep/vdi.c` and `sheep/gateway.c` of Sheepdog
//! keep them. Ids come from names; deleted VDIs keep theirs; an object goes with the last VDI that
//! has it.

use std::collections::BTreeMap;

/// The description of a VDI: header, owners of objects, references.
const HEADER: usize = 4664;
const OWNERS: usize = 1 << 20;
const WHOLE: usize = HEADER + 12 * OWNERS;

pub(crate) const INVALID: u32 = 0x05;
const NO_OBJECT: u32 = 0x02;
const EXISTS: u32 = 0x04;
const NO_VDI: u32 = 0x08;
const NO_BASE: u32 = 0x09;
const NO_TAG: u32 = 0x0e;
const NO_SPACE: u32 = 0x15;

/// What comes back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) result: u32,
    pub(crate) vdi: u32,
    pub(crate) data: Vec<u8>,
}

impl Answer {
    pub(crate) fn failing(result: u32) -> Self {
        // What was in memory: it has no meaning.
        Self { result, vdi: 0x7fc3, ..Self::default() }
    }

    fn of(vdi: u32) -> Self {
        Self { vdi, ..Self::default() }
    }
}

/// Bytes of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) object: u64,
    pub(crate) offset: usize,
}

#[derive(Clone)]
pub(super) struct Vdi {
    header: Vec<u8>,
    pub(super) owners: BTreeMap<usize, u32>,
    /// It has become a snapshot.
    snapshot: bool,
    deleted: bool,
}

impl Vdi {
    fn text(&self, at: usize) -> &str {
        let field = &self.header[at..at + 256];
        let end = field.iter().position(|byte| *byte == 0).unwrap();
        std::str::from_utf8(&field[..end]).unwrap()
    }

    pub(super) fn size(&self) -> u64 {
        u64::from_le_bytes(self.header[536..544].try_into().unwrap())
    }

    fn encoded(&self) -> Vec<u8> {
        let mut bytes = self.header.clone();
        bytes.resize(WHOLE, 0);
        for (index, owner) in &self.owners {
            bytes[HEADER + 4 * index..][..4].copy_from_slice(&owner.to_le_bytes());
        }
        bytes
    }
}

/// A cluster, and how it was formatted.
pub(crate) struct Cluster {
    pub(crate) shift: u8,
    pub(crate) copies: u8,
    pub(crate) policy: u8,
    /// How many objects there is room for.
    pub(crate) room: usize,
    pub(super) vdis: BTreeMap<u32, Vdi>,
    /// By the VDI that wrote them, and their number.
    pub(super) objects: BTreeMap<(u32, usize), Vec<u8>>,
}

impl Default for Cluster {
    fn default() -> Self {
        let (vdis, objects) = (BTreeMap::new(), BTreeMap::new());
        Self { shift: 22, copies: 1, policy: 0, room: usize::MAX, vdis, objects }
    }
}

impl Cluster {
    /// Every VDI that was not deleted, and every object.
    pub(crate) fn held(&self) -> Vec<String> {
        let there = self.vdis.iter().filter(|(_, vdi)| !vdi.deleted);
        let vdis = there.map(|(id, vdi)| format!("{id:x} {}:{}", vdi.text(0), vdi.text(256)));
        let objects = self.objects.keys().map(|(vdi, index)| format!("{vdi:x}.{index}"));
        vdis.chain(objects).collect()
    }

    /// Where a name's ids begin, and the first that is free.
    fn ids(&self, name: &str) -> (u32, u32) {
        let fnv = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let first = ((fnv & 0xff_ffff) as u32).max(1);
        let free = (first..).find(|id| !self.vdis.contains_key(id)).unwrap();
        (first, free)
    }

    pub(super) fn find(&self, name: &str, tag: &str) -> Result<u32, u32> {
        let (first, free) = self.ids(name);
        let mut found = false;
        for (id, vdi) in self.vdis.range(first..free).rev() {
            // A deleted one has no name any more.
            if vdi.text(0) != name {
                continue;
            }
            match (tag.is_empty(), vdi.snapshot) {
                (true, false) => return Ok(*id),
                // The VDI itself is gone, its snapshots stay.
                (true, true) => return Err(NO_VDI),
                (false, true) if vdi.text(256) == tag => return Ok(*id),
                (false, _) => found = true,
            }
        }
        Err(if found { NO_TAG } else { NO_VDI })
    }

    pub(crate) fn info(&self, name: &str, tag: &str) -> Answer {
        self.find(name, tag).map_or_else(Answer::failing, Answer::of)
    }

    pub(crate) fn new_vdi(
        &mut self,
        name: &str,
        size: u64,
        base: u32,
        redundancy: (u8, u8),
        shift: u8,
        snapshot: bool,
    ) -> Answer {
        let (_, id) = self.ids(name);
        match (self.find(name, ""), snapshot) {
            (Ok(_), false) => return Answer::failing(EXISTS),
            (Err(why), true) => return Answer::failing(why),
            (Ok(current), true) if current != base => return Answer::failing(INVALID),
            _ => {}
        }
        let mut owners = BTreeMap::new();
        if base != 0 {
            let Some(base) = self.vdis.get_mut(&base) else { return Answer::failing(NO_BASE) };
            base.snapshot |= snapshot;
            owners = base.owners.clone();
        }
        let (copies, policy) = match redundancy {
            (0, _) => (self.copies, self.policy),
            given => given,
        };
        let shift = if shift == 0 { self.shift } else { shift };
        let mut header = vec![0; HEADER];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[536..544].copy_from_slice(&size.to_le_bytes());
        [header[552], header[554], header[555]] = [policy, copies, shift];
        header[560..564].copy_from_slice(&id.to_le_bytes());
        header[564..568].copy_from_slice(&base.to_le_bytes());
        self.vdis.insert(id, Vdi { header, owners, snapshot: false, deleted: false });
        Answer::of(id)
    }

    /// One that still has objects is not deleted, and no error is told: so does a sheep.
    pub(crate) fn delete(&mut self, name: &str, tag: &str) -> Answer {
        let id = match self.find(name, tag) {
            Ok(id) => id,
            Err(why) => return Answer::failing(why),
        };
        let vdi = self.vdis.get_mut(&id).unwrap();
        let objects = vdi.size().div_ceil(1 << vdi.header[555]) as usize;
        if vdi.owners.range(..objects).next().is_none() {
            vdi.header[..256].fill(0);
            vdi.deleted = true;
        }
        Answer::of(id)
    }

    pub(crate) fn read(&self, Place { object, offset }: Place, length: usize) -> Answer {
        let (vdi, index) = parts(object);
        let bytes = match index {
            None => self.vdis.get(&vdi).map(Vdi::encoded),
            Some(index) => self.objects.get(&(vdi, index)).map(|bytes| {
                let mut bytes = bytes.clone();
                bytes.resize(self.length(vdi), 0);
                bytes
            }),
        };
        match bytes.as_ref().map(|bytes| bytes.get(offset..offset + length)) {
            None => Answer::failing(NO_OBJECT),
            Some(None) => Answer::failing(INVALID),
            Some(Some(data)) => Answer { data: data.to_vec(), ..Answer::default() },
        }
    }

    /// The length of objects of a VDI.
    pub(super) fn length(&self, vdi: u32) -> usize {
        1 << self.vdis[&vdi].header[555]
    }

    pub(crate) fn write(
        &mut self,
        place: Place,
        redundancy: (u8, u8),
        data: &[u8],
        create: bool,
    ) -> Answer {
        let (vdi, index) = parts(place.object);
        let Some(of) = self.vdis.get(&vdi) else { return Answer::failing(NO_OBJECT) };
        if redundancy != (of.header[554], of.header[552]) {
            return Answer::failing(INVALID);
        }
        match index {
            None if create => Answer::failing(INVALID),
            None => self.write_description(vdi, place.offset, data),
            Some(_) if place.offset + data.len() > self.length(vdi) => Answer::failing(INVALID),
            Some(index) if !create && !self.objects.contains_key(&(vdi, index)) => {
                Answer::failing(NO_OBJECT)
            }
            Some(_) if create && self.objects.len() >= self.room => Answer::failing(NO_SPACE),
            Some(index) => {
                let bytes = self.objects.entry((vdi, index)).or_default();
                bytes.resize(bytes.len().max(place.offset + data.len()), 0);
                bytes[place.offset..][..data.len()].copy_from_slice(data);
                Answer::default()
            }
        }
    }

    /// Either a part of the header, or owners of objects.
    fn write_description(&mut self, vdi: u32, offset: usize, data: &[u8]) -> Answer {
        let of = self.vdis.get_mut(&vdi).unwrap();
        if offset + data.len() <= HEADER {
            of.header[offset..][..data.len()].copy_from_slice(data);
            return Answer::default();
        }
        let aligned = (offset - HEADER).is_multiple_of(4) && data.len().is_multiple_of(4);
        if offset < HEADER || !aligned || offset + data.len() > HEADER + 4 * OWNERS {
            return Answer::failing(INVALID);
        }
        let mut left = Vec::new();
        for (index, owner) in ((offset - HEADER) / 4..).zip(data.chunks_exact(4)) {
            let before = match u32::from_le_bytes(owner.try_into().unwrap()) {
                0 => of.owners.remove(&index),
                owner => of.owners.insert(index, owner),
            };
            left.extend(before.map(|owner| (owner, index)));
        }
        for (owner, index) in left {
            let had = |vdi: &Vdi| vdi.owners.get(&index) == Some(&owner);
            if !self.vdis.values().any(had) {
                self.objects.remove(&(owner, index));
            }
        }
        Answer::default()
    }
}

/// The VDI of an object, and its number; none for the description of the VDI.
fn parts(object: u64) -> (u32, Option<usize>) {
    let vdi = (object >> 32) as u32 & 0xff_ffff;
    match object >> 56 {
        0 => (vdi, Some((object & 0xffff_ffff) as usize)),
        0x80 => (vdi, None),
        other => panic!("an object of another kind: {other:#x}"),
    }
}
