//! The smallest guest: a boot sector that says one word on the serial port.

/// What it says.
pub(super) const MARKER: &str = "tintype-runs";

/// Real-mode code for 0x7c00:
/// ```text
///     xor ax, ax          31 c0
///     mov ds, ax          8e d8
///     mov si, 0x7c16      be 16 7c    the text after this code
///     mov dx, 0x3f8       ba f8 03    first serial port
/// again:
///     lodsb               ac
///     test al, al         84 c0
///     jz done             74 03
///     out dx, al          ee
///     jmp again           eb f8
/// done:
///     hlt                 f4
///     jmp done            eb fd
///     nop                 90
/// ```
const CODE: &[u8] = &[
    0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x16, 0x7c, 0xba, 0xf8, 0x03, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee,
    0xeb, 0xf8, 0xf4, 0xeb, 0xfd, 0x90,
];

/// SeaBIOS reads no disk that ends before its first cylinder does.
const DISK: usize = 1 << 20;

/// The disk: the sector, and nothing behind it.
pub(super) fn disk() -> Vec<u8> {
    let mut sector = vec![0; DISK];
    let text = format!("{MARKER}\r\n");
    sector[..CODE.len()].copy_from_slice(CODE);
    sector[CODE.len()..CODE.len() + text.len()].copy_from_slice(text.as_bytes());
    // The signature by which a BIOS knows a bootable disk.
    sector[510..512].copy_from_slice(&[0x55, 0xaa]);
    sector
}
