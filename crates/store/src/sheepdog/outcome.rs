//! What responses say went wrong, in words.

use crate::Error;
use crate::remote::Failed;

/// Results that stores tell apart.
pub(super) const SUCCESS: u32 = 0x00;
const NO_OBJECT: u32 = 0x02;
const EXISTS: u32 = 0x04;
const LOCKED: u32 = 0x07;
const NO_VDI: u32 = 0x08;
const NO_TAG: u32 = 0x0e;
const STARTING: u32 = 0x0f;
const TOO_MANY_VDIS: u32 = 0x13;
const NO_SPACE: u32 = 0x15;
const OLD_EPOCH: u32 = 0x81;
const NEW_EPOCH: u32 = 0x82;
const NETWORK: u32 = 0x86;

/// Results of `sheepdog_proto.h`; from 0x80 on, those that nodes have among themselves
/// (`internal_proto.h`).
const WORDS: &[(u32, &str)] = &[
    (0x01, "unknown error"),
    (NO_OBJECT, "an object is missing"),
    (0x03, "a disk failed"),
    (EXISTS, "there is a VDI of that name"),
    (0x05, "it does not take the request"),
    (0x06, "system error"),
    (LOCKED, "the VDI is locked"),
    (NO_VDI, "there is no such VDI"),
    (0x09, "there is no VDI to derive it from"),
    (0x0a, "the VDI can't be read"),
    (0x0b, "the VDI can't be written"),
    (0x0c, "the VDI that it derives from can't be read"),
    (0x0d, "the VDI that it derives from can't be written"),
    (NO_TAG, "there is no such snapshot"),
    (STARTING, "the cluster is starting"),
    (0x10, "the VDI is not locked"),
    (0x11, "the cluster is shutting down"),
    (0x12, "it is out of memory"),
    (TOO_MANY_VDIS, "there are as many VDIs as there can be"),
    (0x14, "it speaks another version of the protocol"),
    (NO_SPACE, "it has no room left"),
    (0x16, "the cluster is not formatted (dog cluster format)"),
    (0x17, "the cluster waits for nodes to join"),
    (0x18, "a node could not join"),
    (0x19, "the cluster has stopped, for nodes are missing"),
    (0x1a, "the object is read-only"),
    (0x1d, "the VDI was changed by another"),
    (OLD_EPOCH, "its nodes don't agree about the cluster"),
    (NEW_EPOCH, "its nodes don't agree about the cluster"),
    (NETWORK, "a node can't reach another"),
];

/// A result that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome(pub(super) u32);

impl Outcome {
    fn words(self) -> String {
        match WORDS.iter().find(|(code, _)| *code == self.0) {
            Some((_, words)) => (*words).to_owned(),
            None => format!("error {:#04x}", self.0),
        }
    }

    /// The error of a request for what is at `uri`, in a store of this name.
    pub(super) fn failed(self, store: &str, uri: &str) -> Failed {
        match self.0 {
            NO_VDI | NO_TAG => Failed::Lasting(Error::NotFound(uri.to_owned())),
            EXISTS => Failed::Lasting(Error::Exists(uri.to_owned())),
            NO_SPACE | TOO_MANY_VDIS => Failed::Lasting(Error::Full(store.to_owned())),
            LOCKED => Failed::Lasting(Error::InUse { uri: uri.to_owned(), why: self.words() }),
            STARTING | OLD_EPOCH | NEW_EPOCH | NETWORK => Failed::Passing(self.unavailable(store)),
            _ => Failed::Lasting(self.unavailable(store)),
        }
    }

    fn unavailable(self, store: &str) -> Error {
        Error::Unavailable { store: store.to_owned(), why: self.words() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_in_words() {
        let text = |code| Outcome(code).failed("sheep", "sheepdog://h:7000:x").error().to_string();
        assert_eq!(text(NO_VDI), "no image data at sheepdog://h:7000:x");
        assert_eq!(text(EXISTS), "image data exists already at sheepdog://h:7000:x");
        assert_eq!(text(NO_SPACE), "the store 'sheep' is full");
        assert_eq!(
            text(0x19),
            "the store 'sheep' is unavailable: the cluster has stopped, for nodes are missing"
        );
        assert_eq!(text(NETWORK), "the store 'sheep' is unavailable: a node can't reach another");
        assert_eq!(text(0x9f), "the store 'sheep' is unavailable: error 0x9f");
        assert_eq!(text(u32::MAX), "the store 'sheep' is unavailable: error 0xffffffff");
    }
}
