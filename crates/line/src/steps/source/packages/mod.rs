//! A system from a distribution's packages: no installer, no root, no loop device, no mount.

mod archive;
mod bootstrap;
mod cache;
mod namespace;

use std::env;
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;

use disk::ByteSize;
use serde_json::{Value, json};

use crate::layout::{self, Identity, Layout};
use crate::recipe::{Format, PackagesSource};
use crate::steps::{HandedOn, Made, Room, Step, StepName, Work};
use crate::tool::Tool;
use crate::work::Key;
use crate::{Error, Result};
use bootstrap::{Bootstrap, Scripts};
use cache::Cache;

/// A small server with cloud-init fits, and has room to grow a little before it is grown.
const USUAL_SIZE: ByteSize = ByteSize::new(2 << 30);

/// What is in a disk from packages: Debian 12 with cloud-init and a kernel, measured, is 0.7 GiB.
const CONTENT: ByteSize = ByteSize::new(1 << 30);

const DISK: &str = "disk.raw";

/// The step.
pub(super) struct Packages {
    source: PackagesSource,
    size: ByteSize,
}

impl Packages {
    pub(super) fn new(source: PackagesSource, size: Option<ByteSize>) -> Self {
        Packages { source, size: size.unwrap_or(USUAL_SIZE) }
    }
}

impl Step for Packages {
    fn name(&self) -> StepName {
        StepName::Source
    }

    fn what(&self) -> String {
        format!("{} from packages, on a disk of {}", self.source.suite, self.size)
    }

    fn inputs(&self) -> Result<Value> {
        let epoch = env::var("SOURCE_DATE_EPOCH").ok();
        Ok(json!({
            "source": self.source,
            "size": self.size.bytes(),
            "epoch": epoch,
            "scripts": Scripts::identity(),
        }))
    }

    fn tools(&self) -> Vec<Tool> {
        let mut tools = vec![
            Tool { program: "mmdebstrap", package: "mmdebstrap" },
            Tool { program: "mke2fs", package: "e2fsprogs" },
        ];
        if !rustix::process::geteuid().is_root() {
            tools.push(Tool { program: "newuidmap", package: "uidmap" });
        }
        tools
    }

    fn require(&self) -> Result<()> {
        namespace::require()
    }

    fn room(&self, content: ByteSize) -> Room {
        // The tree is built in the temporary folder, with its packages beside it.
        Room { work: content.bytes(), temporary: content.bytes() * 3 / 2 }
    }

    fn content(&self) -> Option<ByteSize> {
        Some(CONTENT)
    }

    fn run(&self, work: &mut Work<'_>) -> Result<Made> {
        let archives = archive::for_building(&self.source)?;
        let archives_in_image = archive::for_the_image(&self.source, &archives);
        let identity = identity(work.key);
        let layout = Layout::of(self.size, identity)?;

        let path = work.file(DISK);
        let disk = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let disk = disk.map_err(Error::at(&path))?;
        disk.set_len(self.size.bytes()).map_err(Error::at(&path))?;
        layout.write_table(&disk).map_err(Error::at(&path))?;

        let cache = Cache::open(&self.source.suite)?;
        let bootstrap = Bootstrap {
            source: &self.source,
            archives: &archives,
            archives_in_image: &archives_in_image,
            root: identity.root_file_system,
            range: layout.root(),
            disk: &disk,
            cache: &cache,
        };
        // The namespace's root is nobody here; the folder around the file keeps others out.
        mode(&path, 0o666)?;
        let loaders = bootstrap.run(work)?;
        mode(&path, 0o644)?;
        cache.renew()?;

        work.note("installing the boot loaders");
        layout::install_bios(&disk, &loaders.boot, &loaders.core).map_err(Error::at(&path))?;
        layout::install_efi(&disk, &loaders.efi, identity.esp).map_err(Error::at(&path))?;
        let result = format!("{} in a disk of {}", content(&disk)?, self.size);
        Ok(Made { result, disk: HandedOn::New(DISK.to_owned(), Format::Raw), found: Value::Null })
    }
}

fn identity(key: &Key) -> Identity {
    Identity {
        disk: key.identifier("disk"),
        root: key.identifier("root"),
        bios: key.identifier("bios"),
        esp: key.identifier("esp"),
        root_file_system: key.identifier("root file system"),
    }
}

fn mode(path: &std::path::Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(Error::at(path))
}

fn content(disk: &fs::File) -> Result<ByteSize> {
    use std::os::unix::fs::MetadataExt;
    let metadata = disk.metadata().map_err(Error::doing("the disk's size"))?;
    Ok(ByteSize::new(metadata.blocks() * 512))
}
