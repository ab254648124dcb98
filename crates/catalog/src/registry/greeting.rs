//! What both sides say first. Its form is the same in all versions.

use bytes::{Buf, BufMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::broken::Broken;

/// The version of the protocol: another one when an operation of `operations`, or a type that one is
/// given or answers, changes. Both sides have to speak the same.
pub const VERSION: u32 = 8;

const MARK: &[u8; 8] = b"tintype\n";

/// Bytes: mark, version, instance, and the release's length.
const FIXED: usize = 8 + 4 + 16 + 1;

/// What a side says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) version: u32,
    /// A number of this process; zeros of a client.
    pub(super) instance: [u8; 16],
    /// The release, for people.
    pub(super) software: String,
}

impl Greeting {
    pub(super) fn new(instance: [u8; 16]) -> Self {
        Self { version: VERSION, instance, software: env!("CARGO_PKG_VERSION").to_owned() }
    }

    pub(super) async fn say<W: AsyncWrite + Unpin>(&self, to: &mut W) -> Result<(), Broken> {
        let mut said = Vec::with_capacity(FIXED + self.software.len());
        said.put_slice(MARK);
        said.put_u32_le(self.version);
        said.put_slice(&self.instance);
        said.put_u8(self.software.len() as u8);
        said.put_slice(self.software.as_bytes());
        to.write_all(&said).await?;
        Ok(to.flush().await?)
    }

    pub(super) async fn hear<R: AsyncRead + Unpin>(from: &mut R) -> Result<Self, Broken> {
        let mut said = [0; FIXED];
        from.read_exact(&mut said).await?;
        let mut said = said.as_slice();
        if !said.starts_with(MARK) {
            return Err(Broken::Stranger);
        }
        said.advance(MARK.len());
        let version = said.get_u32_le();
        let mut instance = [0; 16];
        said.copy_to_slice(&mut instance);
        let mut software = vec![0; usize::from(said.get_u8())];
        from.read_exact(&mut software).await?;
        let printable = |c: &char| c.is_ascii_graphic();
        let software = String::from_utf8_lossy(&software).chars().filter(printable).collect();
        Ok(Self { version, instance, software })
    }

    /// Whether both speak the same version.
    pub(super) fn agrees(&self, who: &'static str) -> Result<(), Broken> {
        if self.version == VERSION {
            return Ok(());
        }
        let software = self.software.clone();
        Err(Broken::Version { who, software, theirs: self.version, ours: VERSION })
    }
}
