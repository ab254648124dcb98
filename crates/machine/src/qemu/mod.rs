//! QEMU as a child process: what it is told, what its guest says, and its certain end.
//!
//! A [`Machine`] is a description; [`Machine::start`] makes a [`Running`] of it. Nothing listens
//! anywhere and no file is made: the serial console and the job channel are socket pairs that
//! QEMU inherits as its standard input and output.

mod command_line;
mod console;
mod drive;
mod leash;
mod program;
mod running;

pub use command_line::{Boot, Card, Machine, Reach};
pub use console::Screen;
pub(crate) use console::readable_lines;
pub use drive::{Drive, DriveFormat, Writes};
pub use program::Program;
pub use running::{Running, Said};
