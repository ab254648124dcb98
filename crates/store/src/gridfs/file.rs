//! Documents of a bucket, as MongoDB's specification of GridFS has them: of a file one in
//! `fs.files`, and one for each of its chunks in `fs.chunks`.

use std::borrow::Cow;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::raw::{RawBinaryRef, RawBsonRef};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Bson, DateTime, Document, RawDocument, RawDocumentBuf, cstr, doc, rawdoc};

use crate::remote::Part;

/// How many bytes a chunk has, unless it is the last one: the specification's default, with which
/// a chunk's document takes 256 KiB.
pub(super) const CHUNK: u64 = 255 * 1024;

/// A document has 16 MiB at most, and a chunk is one.
const LARGEST_CHUNK: u64 = 16 * 1024 * 1024;

/// What the bucket knows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct File {
    /// How many bytes it has.
    pub(super) length: u64,
    /// How many of them are in a chunk.
    pub(super) chunk: u64,
    /// When it was stored. Of two files of the same `_id`, this is another one.
    pub(super) uploaded: DateTime,
}

impl File {
    /// Its document. Errors: what is wrong with it.
    pub(super) fn decode(document: &Document) -> Result<Self, String> {
        let number = |field: &str| {
            let number = document.get(field).and_then(whole);
            number.ok_or_else(|| format!("the field {field} of its file is no size"))
        };
        let uploaded = document.get_datetime("uploadDate");
        let file = Self {
            length: number("length")?,
            chunk: number("chunkSize")?,
            uploaded: *uploaded.map_err(|_| "its file has no uploadDate".to_owned())?,
        };
        match (1..=LARGEST_CHUNK).contains(&file.chunk) {
            true => Ok(file),
            false => Err(format!("its file has chunks of {} bytes", file.chunk)),
        }
    }

    pub(super) fn encode(&self, id: &str) -> Document {
        doc! {
            "_id": id,
            // Sizes have 64 bits; other drivers write those that fit in 32.
            "length": self.length as i64,
            "chunkSize": self.chunk as i32,
            "uploadDate": self.uploaded,
            "filename": id,
        }
    }

    /// How many bytes the chunk of that number has.
    fn held(&self, number: u64) -> u64 {
        self.length.saturating_sub(number * self.chunk).min(self.chunk)
    }

    /// The bytes of a chunk that is expected to have that number. Errors: what is wrong with it.
    pub(super) fn data<'a>(&self, chunk: &'a RawDocument, number: u64) -> Result<&'a [u8], String> {
        let told = chunk.get("n").ok().flatten().and_then(|n| whole(&Bson::try_from(n).ok()?));
        if told != Some(number) {
            return Err(format!("chunk {number} is missing"));
        }
        let bytes = match chunk.get("data") {
            Ok(Some(RawBsonRef::Binary(RawBinaryRef { bytes, .. }))) => bytes,
            _ => return Err(format!("chunk {number} has no data")),
        };
        match bytes.len() as u64 == self.held(number) {
            true => Ok(bytes),
            false => Err(format!("chunk {number} has {} bytes", bytes.len())),
        }
    }
}

/// The document of a file's chunk.
pub(super) fn chunk(file: &str, number: i32, part: &Part) -> RawDocumentBuf {
    let mut document = rawdoc! { "_id": ObjectId::new(), "files_id": file, "n": number };
    let bytes = match &*part.pieces {
        [piece] => Cow::Borrowed(&piece[..]),
        pieces => Cow::Owned(pieces.concat()),
    };
    document.append(cstr!("data"), RawBinaryRef { subtype: BinarySubtype::Generic, bytes: &bytes });
    document
}

/// Drivers differ in the type that they give a number.
fn whole(value: &Bson) -> Option<u64> {
    match *value {
        Bson::Int32(number) => u64::try_from(number).ok(),
        Bson::Int64(number) => u64::try_from(number).ok(),
        Bson::Double(number) if number.fract() == 0.0 && number >= 0.0 => Some(number as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file() -> File {
        File { length: 10, chunk: 4, uploaded: DateTime::from_millis(1_400_000_000_000) }
    }

    fn part(pieces: &[&'static [u8]]) -> Part {
        let pieces: Vec<_> = pieces.iter().map(|piece| Bytes::from_static(piece)).collect();
        let length = pieces.iter().map(Bytes::len).sum::<usize>() as u64;
        Part { pieces, length }
    }

    #[test]
    fn a_file_comes_back() {
        assert_eq!(File::decode(&file().encode("x")), Ok(file()));
    }

    #[test]
    fn files_of_other_drivers_are_read() {
        let uploaded = file().uploaded;
        for (length, chunk) in [
            (Bson::Int32(10), Bson::Int32(4)),
            (Bson::Int64(10), Bson::Int64(4)),
            (Bson::Double(10.0), Bson::Double(4.0)),
        ] {
            let document = doc! {
                "_id": "x", "chunkSize": chunk, "length": length, "uploadDate": uploaded,
                "md5": "781e5e245d69b566979b86e28d23f2c7", "contentType": null,
            };
            assert_eq!(File::decode(&document), Ok(file()), "{document}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let whole = file().encode("x");
        for (field, value) in [
            ("length", Bson::Int32(-1)),
            ("length", Bson::Double(0.5)),
            ("length", Bson::Null),
            ("chunkSize", Bson::Int32(0)),
            ("chunkSize", Bson::Int64(17 << 20)),
            ("chunkSize", Bson::String("4".to_owned())),
            ("uploadDate", Bson::Null),
        ] {
            let mut broken = whole.clone();
            broken.insert(field, value);
            assert!(File::decode(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn chunks_hold_what_they_should() {
        let data = |number, pieces: &[&'static [u8]]| {
            let document = chunk("x", number, &part(pieces));
            file().data(&document, number as u64).map(<[u8]>::to_vec)
        };
        assert_eq!(data(0, &[b"abcd"]), Ok(b"abcd".to_vec()));
        assert_eq!(data(1, &[b"a", b"bcd"]), Ok(b"abcd".to_vec()));
        assert_eq!(data(2, &[b"ab"]), Ok(b"ab".to_vec()));
        assert_eq!(data(2, &[b"abcd"]), Err("chunk 2 has 4 bytes".to_owned()));
        assert_eq!(data(1, &[b"ab"]), Err("chunk 1 has 2 bytes".to_owned()));
        let second = chunk("x", 1, &part(&[b"abcd"]));
        assert_eq!(file().data(&second, 0), Err("chunk 0 is missing".to_owned()));
        let without = rawdoc! { "n": 0, "data": "text" };
        assert_eq!(file().data(&without, 0), Err("chunk 0 has no data".to_owned()));
    }
}
