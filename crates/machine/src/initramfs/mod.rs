//! The appliance's initial RAM file system: our static init, and the kernel's modules.

mod cpio;

use std::fmt::Write;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::kernel::Kernel;
use crate::{Error, Result};
use cpio::Archive;

/// `tintype-init`, linked statically: see `build.rs`.
const INIT: &[u8] = include_bytes!(env!("TINTYPE_INIT"));

/// SHA-256 of the init, in hexadecimal.
pub(crate) fn identity() -> String {
    openssl::sha::sha256(INIT).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the archive into `folder`; uncompressed, because unpacking costs more than copying.
///
/// # Errors
/// [`Error::Io`] when a module cannot be read or the archive not be written.
pub(crate) fn write(kernel: &Kernel, folder: &Path) -> Result<PathBuf> {
    let path = folder.join("initramfs");
    let file = File::create(&path).map_err(Error::at(&path))?;
    let mut archive = Archive::new(BufWriter::new(file));
    fill(&mut archive, kernel)?;
    archive.finish().map_err(Error::at(&path))?;
    Ok(path)
}

fn fill(archive: &mut Archive<impl std::io::Write>, kernel: &Kernel) -> Result<()> {
    let into = |why| Error::doing("writing the appliance's initramfs")(why);
    archive.folder("dev").map_err(into)?;
    // The kernel opens it for init before anything is mounted.
    archive.character_device("dev/console", 5, 1).map_err(into)?;
    archive.program("init", INIT).map_err(into)?;
    archive.folder("modules").map_err(into)?;
    archive.file(::appliance::MODULE_GROUPS, groups(kernel).as_bytes()).map_err(into)?;
    let mut names: Vec<&String> = kernel.groups().values().flatten().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let module = kernel.module(name);
        let content = fs::read(&module).map_err(Error::at(&module))?;
        archive.file(&format!("modules/{name}.ko"), &content).map_err(into)?;
    }
    Ok(())
}

/// A line for each group: its name, then its modules in the order of loading.
fn groups(kernel: &Kernel) -> String {
    kernel.groups().iter().fold(String::new(), |mut text, (group, modules)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{group} {}", modules.join(" "));
        text
    })
}
