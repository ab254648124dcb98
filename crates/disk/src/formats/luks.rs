//! LUKS: an encrypted disk (LUKS1 On-Disk Format Specification 1.2.3, LUKS2 1.1).

use super::{Format, Looked};
use crate::facts::{Detail, Facts};
use crate::view::{View, number};

/// `luks`.
#[derive(Debug)]
pub(crate) struct Luks;

impl Format for Luks {
    fn name(&self) -> &'static str {
        "luks"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(b"LUKS\xba\xbe")
    }

    /// LUKS1 says in which sector the content begins; LUKS2 says it in JSON, which is not read.
    fn inspect(&self, view: &View) -> Looked {
        let header = view.bytes(0, 592)?;
        let version = number::be16(header, 6);
        let begin = u64::from(number::be32(header, 104)) * 512;
        let length = view.length()?;
        Ok(Facts {
            virtual_size: (version == 1).then(|| length.saturating_sub(begin)),
            details: vec![("version", Detail::Number(version.into()))],
            ..Facts::default()
        })
    }
}
