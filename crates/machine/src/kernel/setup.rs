//! `tintype appliance setup`: from a distribution's kernel to a prepared one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use super::manifest::{Manifest, Recorded};
use super::modules::{Modules, Picked};
use super::source::{Source, installed};
use super::{Kernel, VMLINUX, archive, folder, module_file, vmlinux};
use crate::accelerator::Accelerator;
use crate::qemu::{Boot, Machine, Said};
use crate::{Cancel, Error, Result, disk_space, initramfs};

/// A kernel package and what is unpacked of it, measured on Debian 12: 26 MiB, 110 MiB, and 60 MiB
/// that are kept.
const ROOM: u64 = 300 << 20;

/// A start takes two seconds under emulation; a busy machine may need longer.
const TRIAL: Duration = Duration::from_secs(60);

/// Where setup takes the kernel from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The host's own kernels where one is fit, else the package archive.
    Anywhere,
    /// The package archive, by the machine's own apt.
    Archive,
    /// A named kernel.
    Files {
        /// `vmlinuz` or `vmlinux`.
        image: PathBuf,
        /// Its module folder, as `/lib/modules/6.1.0`.
        modules: PathBuf,
    },
}

/// Prepares a kernel for this user, replacing the one prepared before. The new one is started once
/// under emulation before it takes the old one's place; a setup that was interrupted leaves the old
/// one as it was. `progress` gets a line for each step.
///
/// # Errors
/// [`Error::ProgramMissing`], [`Error::Program`] and [`Error::KernelUnusable`] say what to install
/// or which kernel was unfit and why; [`Error::NoSpace`]; [`Error::Cancelled`].
pub fn setup(from: From, progress: &mut dyn FnMut(&str), cancel: &Cancel) -> Result<Kernel> {
    let place = folder();
    let parent = place.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(Error::at(parent))?;
    disk_space::require(parent, ROOM)?;
    let work = TempDir::with_prefix_in(".setup-", parent).map_err(Error::at(parent))?;
    match from {
        From::Files { image, modules } => prepare(&named(image, modules), work.path(), progress)?,
        From::Archive => from_archive(work.path(), progress)?,
        From::Anywhere => anywhere(work.path(), progress)?,
    }
    let made = Kernel::in_folder(&made(work.path()))?;
    progress("starting it once");
    try_it(&made, work.path(), cancel)?;
    replace(&made.folder, &place)?;
    Kernel::in_folder(&place)
}

fn named(image: PathBuf, modules: PathBuf) -> Source {
    let version = modules.file_name().unwrap_or(image.as_os_str()).to_string_lossy().into_owned();
    Source { origin: image.display().to_string(), version, image, modules }
}

fn anywhere(work: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    for source in installed(Path::new("/"), |image| image.display().to_string()) {
        match prepare(&source, work, progress) {
            Ok(()) => return Ok(()),
            Err(why) => progress(&format!("{} is not fit: {why}", source.origin)),
        }
    }
    from_archive(work, progress)
}

fn from_archive(work: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    let (package, root) = archive::unpack(work, progress)?;
    let found = installed(&root, |_| format!("package {package}")).into_iter().next();
    let why = "the package holds no kernel with modules".to_owned();
    let source = found.ok_or(Error::KernelUnusable { path: root, why })?;
    prepare(&source, work, progress)
}

/// Writes the kernel, its modules and at last the manifest.
fn prepare(source: &Source, work: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    progress(&format!("preparing {}", source.version));
    let folder = made(work);
    let modules = folder.join("modules");
    fs::create_dir_all(&modules).map_err(Error::at(&modules))?;
    let picked = Modules::in_folder(&source.modules)?.pick(&source.modules)?;
    let files = write(&folder, &vmlinux::extract(&source.image)?, &picked)?;
    let manifest = Manifest {
        version: source.version.clone(),
        origin: source.origin.clone(),
        made: Timestamp::now(),
        files,
        groups: picked.groups,
    };
    manifest.write(&folder)
}

fn made(work: &Path) -> PathBuf {
    work.join("kernel")
}

fn write(folder: &Path, kernel: &[u8], picked: &Picked) -> Result<BTreeMap<String, Recorded>> {
    let modules = picked.contents.iter().map(|(name, content)| (module_file(name), &content[..]));
    let mut recorded = BTreeMap::new();
    for (name, content) in modules.chain([(VMLINUX.to_owned(), kernel)]) {
        let path = folder.join(&name);
        let record = fs::write(&path, content).and_then(|()| Recorded::of(&path));
        recorded.insert(name, record.map_err(Error::at(&path))?);
    }
    Ok(recorded)
}

/// A kernel that does not reach our init is no use, whatever it holds.
fn try_it(kernel: &Kernel, work: &Path, cancel: &Cancel) -> Result<()> {
    let boot = Boot {
        kernel: kernel.vmlinux(),
        initramfs: initramfs::write(kernel, work)?,
        command_line: format!("console=ttyS0 quiet panic=-1 {}", ::appliance::PROBE),
    };
    let machine = Machine {
        accelerator: Accelerator::Tcg,
        processors: 1,
        memory_mib: 256,
        boot: Some(boot),
        drives: Vec::new(),
        card: None,
        order: None,
        limit: TRIAL,
    };
    let running = machine.start()?;
    while let Some(said) = running.next("the appliance's word", cancel)? {
        if matches!(&said, Said::Console(line) if line.contains(::appliance::ALIVE)) {
            return running.finish(cancel);
        }
    }
    Err(running.why_stopped(cancel))
}

/// Puts `new` in the place of `old` in one step; what was there goes away with the work folder.
fn replace(new: &Path, old: &Path) -> Result<()> {
    let done = match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Err(rustix::io::Errno::NOENT) => fs::rename(new, old),
        other => other.map_err(io::Error::from),
    };
    done.map_err(Error::at(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_kernel_takes_the_place_of_an_old_one_or_of_none() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        for content in ["first", "second"] {
            fs::create_dir_all(&new).unwrap();
            fs::write(new.join("file"), content).unwrap();
            replace(&new, &old).unwrap();
            assert_eq!(fs::read_to_string(old.join("file")).unwrap(), content);
        }
    }
}
