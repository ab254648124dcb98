//! What a disk file is: detect, inspect for danger, create, convert, resize.

mod size;

pub use size::ByteSize;

/// stub
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// x
    #[error("x")]
    X,
}
/// stub
pub type InspectError = Error;
/// stub
pub struct Findings { /// x
    pub virtual_size: Option<u64> }
/// stub
pub struct Inspector(u64);
impl Inspector {
    /// x
    pub fn new(_: &str) -> Self { Inspector(0) }
    /// x
    pub fn update(&mut self, b: &[u8]) -> Result<(), InspectError> { self.0 += b.len() as u64; Ok(()) }
    /// x
    pub fn finish(self) -> Result<Findings, InspectError> { Ok(Findings { virtual_size: Some(self.0) }) }
}
