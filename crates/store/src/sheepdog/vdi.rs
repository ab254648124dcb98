//! A VDI by its name, and what is done with it: the same requests as those of Sheepdog's `dog`.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::inode::{self, Header, Inode};
use super::location::uri;
use super::node::Node;
use super::outcome::{Outcome, SUCCESS};
use super::protocol::{self, Caching, LARGEST_VDI, NewVdi, Operation, Redundancy, Request};
use crate::remote::{Failed, retried};
use crate::{Error, Result};

/// Objects that one request lets go of, at most: as many as `dog` takes.
const BATCH: usize = 128;

/// A VDI, which may be there or not.
#[derive(Clone)]
pub(super) struct Vdi {
    pub(super) node: Arc<Node>,
    pub(super) name: String,
}

/// Bytes of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// The object.
    pub(super) object: u64,
    /// Where in it, in bytes.
    pub(super) offset: u32,
    /// How many bytes.
    pub(super) length: u32,
}

impl Vdi {
    /// Its location.
    pub(super) fn uri(&self) -> String {
        uri(&self.node.address, &self.name)
    }

    /// Makes it, of `size` bytes without any objects. Errors: `Exists`, `Full`, `Unavailable`.
    pub(super) async fn create(&self, size: u64) -> Result<u32> {
        self.make(NewVdi { size, ..NewVdi::default() }).await
    }

    /// Its id. Errors: `NotFound`, `Unavailable`.
    pub(super) async fn find(&self) -> Result<u32> {
        self.find_tagged("").await
    }

    /// The id of a snapshot of it, or of itself where `tag` is empty.
    async fn find_tagged(&self, tag: &str) -> Result<u32> {
        let name = [Bytes::from(protocol::named(&self.name, tag))];
        let request = Request::info();
        retried(|| self.ask_for_id(&request, &name)).await
    }

    /// What its header says.
    pub(super) async fn header(&self) -> Result<Header> {
        let vdi = self.find().await?;
        self.decoded(Header::decode(&self.header_bytes(vdi).await?, vdi))
    }

    /// What it is, and where its bytes are.
    pub(super) async fn inode(&self, caching: Caching) -> Result<Inode> {
        let vdi = self.find().await?;
        self.inode_of(vdi, caching).await
    }

    async fn inode_of(&self, vdi: u32, caching: Caching) -> Result<Inode> {
        let request = Request::read(protocol::inode(vdi), 0, inode::WHOLE, caching);
        // Counts of references are not kept.
        let bytes = self.read(&request, inode::INDEXED).await?;
        self.decoded(Inode::decode(&bytes, vdi))
    }

    /// Bytes of one of its objects.
    pub(super) async fn bytes(&self, piece: Piece) -> Result<Bytes> {
        let Piece { object, offset, length } = piece;
        let request = Request::read(object, offset, length, Caching::Allowed);
        self.read(&request, length as usize).await.map(Bytes::from)
    }

    /// Writes bytes of an object that is not there, and notes in the VDI that now it is.
    pub(super) async fn add(&self, piece: Piece, to: &Header, data: &[Bytes]) -> Result<()> {
        self.write_piece(Operation::CreateObject, piece, to.redundancy, data).await?;
        // The lower half of an object's id is its number among the VDI's.
        let index = piece.object as u32;
        let entry = inode::entries(index..index + 1);
        let noted = Piece { object: protocol::inode(to.vdi), offset: entry.start, length: 4 };
        let owner = [Bytes::copy_from_slice(&to.vdi.to_le_bytes())];
        self.write_piece(Operation::WriteObject, noted, to.redundancy, &owner).await
    }

    /// Writes bytes of an object that is there.
    pub(super) async fn write(&self, piece: Piece, to: &Header, data: &[Bytes]) -> Result<()> {
        self.write_piece(Operation::WriteObject, piece, to.redundancy, data).await
    }

    /// Gives it another size, in bytes. No objects may lie beyond it.
    pub(super) async fn resize(&self, size: u64) -> Result<()> {
        let vdi = self.find().await?;
        let bytes = self.header_bytes(vdi).await?;
        let header = self.decoded(Header::decode(&bytes, vdi))?;
        self.need_room(&header, size)?;
        let resized = Bytes::from(inode::resized(bytes, size));
        self.write_inode(&header, 0, resized).await
    }

    /// Fails where it can't have this size, in bytes.
    pub(super) fn need_room(&self, header: &Header, size: u64) -> Result<()> {
        self.decoded(header.need_room(size))
    }

    /// Makes what it holds now a snapshot of that tag; the VDI goes on as a copy of it. Returns the
    /// snapshot. Errors: `Exists` where there is one of that tag.
    pub(super) async fn snapshot(&self, tag: &str) -> Result<Header> {
        match self.find_tagged(tag).await {
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(Error::Exists(format!("{} (snapshot {tag})", self.uri()))),
        }
        let header = self.header().await?;
        let tag = [Bytes::from(protocol::name(tag))];
        let place = Piece {
            object: protocol::inode(header.vdi),
            offset: inode::TAG,
            length: tag[0].len() as u32,
        };
        self.write_piece(Operation::WriteObject, place, header.redundancy, &tag).await?;
        self.make(NewVdi { snapshot: true, ..derived(&header) }).await?;
        Ok(header)
    }

    /// Makes it a copy of a snapshot, whose objects it shares until they are written.
    pub(super) async fn derive(&self, from: &Header) -> Result<u32> {
        self.make(derived(from)).await
    }

    /// Removes it, or a snapshot of it where `tag` is not empty. Errors: `NotFound`.
    pub(super) async fn remove(&self, tag: &str) -> Result<()> {
        let vdi = self.find_tagged(tag).await?;
        let inode = self.inode_of(vdi, Caching::Allowed).await?;
        self.let_go(&inode).await?;
        self.forget(tag).await
    }

    /// Removes it where it was not written to its end, and may have objects that it does not know
    /// of: some of the first `reached` bytes. It claims all that there may be, and lets go of them.
    /// Errors: `NotFound`.
    pub(super) async fn remove_unfinished(&self, reached: u64) -> Result<()> {
        let mut inode = self.inode(Caching::Allowed).await?;
        let held = inode.owners.len() as u64;
        let claimed = reached.div_ceil(inode.header.object()).min(held) as usize;
        let owners = &mut inode.owners[..claimed];
        if owners.contains(&0) {
            owners
                .iter_mut()
                .filter(|owner| **owner == 0)
                .for_each(|hole| *hole = inode.header.vdi);
            let entries: Vec<u8> = owners.iter().flat_map(|owner| owner.to_le_bytes()).collect();
            let at = inode::entries(0..0).start;
            self.write_inode(&inode.header, at, Bytes::from(entries)).await?;
        }
        self.let_go(&inode).await?;
        self.forget("").await
    }

    /// Lets go of its objects: those that no other VDI has are removed then.
    async fn let_go(&self, inode: &Inode) -> Result<()> {
        let mut at = 0;
        while let Some(objects) = batch(&inode.owners, &mut at) {
            let entries = inode::entries(objects);
            let zeros = vec![0; (entries.end - entries.start) as usize];
            self.write_inode(&inode.header, entries.start, Bytes::from(zeros)).await?;
        }
        Ok(())
    }

    /// Removes the VDI alone. A node does so only where it has no objects any more.
    async fn forget(&self, tag: &str) -> Result<()> {
        let name = [Bytes::from(protocol::named(&self.name, tag))];
        // It is not asked for twice: the second time, there would be none.
        self.ask_for_id(&Request::delete(), &name).await.map(drop).map_err(Failed::error)
    }

    /// It is not asked for twice: the second time, there would be one.
    async fn make(&self, new: NewVdi) -> Result<u32> {
        let name = [Bytes::from(protocol::name(&self.name))];
        self.ask_for_id(&Request::new_vdi(new), &name).await.map_err(Failed::error)
    }

    async fn header_bytes(&self, vdi: u32) -> Result<Vec<u8>> {
        let object = protocol::inode(vdi);
        let request = Request::read(object, 0, inode::HEADER, Caching::Bypassed);
        self.read(&request, inode::HEADER as usize).await
    }

    async fn write_inode(&self, of: &Header, offset: u32, data: Bytes) -> Result<()> {
        let length = data.len() as u32;
        let request = Request::write(
            Operation::WriteObject,
            protocol::inode(of.vdi),
            offset,
            length,
            of.redundancy,
            Caching::Bypassed,
        );
        self.done(&request, &[data]).await
    }

    async fn write_piece(
        &self,
        operation: Operation,
        piece: Piece,
        redundancy: Redundancy,
        data: &[Bytes],
    ) -> Result<()> {
        let Piece { object, offset, length } = piece;
        let caching = Caching::Allowed;
        self.done(&Request::write(operation, object, offset, length, redundancy, caching), data)
            .await
    }

    async fn done(&self, request: &Request, data: &[Bytes]) -> Result<()> {
        retried(|| async { self.ask(request, data, 0).await.map(drop) }).await
    }

    async fn read(&self, request: &Request, keep: usize) -> Result<Vec<u8>> {
        retried(|| async { Ok(self.ask(request, &[], keep).await?.1) }).await
    }

    /// A request whose answer names a VDI.
    async fn ask_for_id(&self, request: &Request, data: &[Bytes]) -> Result<u32, Failed> {
        let (vdi, _) = self.ask(request, data, 0).await?;
        match (1..=LARGEST_VDI).contains(&vdi) {
            true => Ok(vdi),
            false => Err(self.node.failing(format!("{}: there is no VDI {vdi:x}", self.uri())))?,
        }
    }

    async fn ask(
        &self,
        request: &Request,
        data: &[Bytes],
        keep: usize,
    ) -> Result<(u32, Vec<u8>), Failed> {
        let (response, bytes) = self.node.ask(request, data, keep).await?;
        match response.result {
            SUCCESS => Ok((response.vdi, bytes)),
            code => Err(Outcome(code).failed(&self.node.store, &self.uri())),
        }
    }

    fn decoded<T>(&self, decoded: Result<T, String>) -> Result<T> {
        decoded.map_err(|why| self.node.failing(format!("{}: {why}", self.uri())))
    }
}

/// A VDI that shares the objects of another.
fn derived(from: &Header) -> NewVdi {
    NewVdi {
        size: from.size,
        base: from.vdi,
        redundancy: from.redundancy,
        shift: from.shift,
        snapshot: false,
    }
}

/// The next range of objects that one request lets go of, from the one `at` on.
fn batch(owners: &[u32], at: &mut usize) -> Option<Range<u32>> {
    let start = *at + owners[*at..].iter().position(|owner| *owner != 0)?;
    let held = owners.iter().enumerate().skip(start).filter(|(_, owner)| **owner != 0);
    *at = match held.map(|(index, _)| index).nth(BATCH - 1) {
        Some(last) => last + 1,
        None => owners.len(),
    };
    Some(start as u32..*at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(owners: &[u32]) -> Vec<(u32, u32)> {
        let mut at = 0;
        std::iter::from_fn(|| batch(owners, &mut at)).map(|r| (r.start, r.end)).collect()
    }

    #[test]
    fn objects_are_let_go_in_batches_as_dog_does() {
        assert!(ranges(&[]).is_empty() && ranges(&[0, 0]).is_empty());
        assert_eq!(ranges(&[7, 7]), [(0, 2)]);
        assert_eq!(ranges(&[0, 7, 0, 7, 0]), [(1, 5)]);
        let many = [vec![0; 3], vec![7; 128], vec![0], vec![7; 2]].concat();
        assert_eq!(ranges(&many), [(3, 131), (132, 134)]);
    }
}
