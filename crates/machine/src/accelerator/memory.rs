//! The probe's answer, remembered until the host, QEMU or the kernel changes.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Accelerator, Choice, boot_id};
use crate::kernel::Kernel;
use crate::qemu::Program;

/// Where an answer is kept, and what it depends on.
pub(super) struct Memory {
    path: PathBuf,
    key: Key,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    boot_id: String,
    qemu: String,
    kernel: Option<String>,
    /// Whether the device opens; a user may have become a member of its group.
    opens: bool,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    key: Key,
    accelerator: Accelerator,
    reason: String,
}

impl Memory {
    pub(super) fn of(cache: &Path, qemu: &Program, kernel: Option<&Kernel>, opens: bool) -> Self {
        let key = Key {
            boot_id: boot_id(),
            qemu: qemu.version.clone(),
            kernel: kernel.map(|kernel| kernel.version().to_owned()),
            opens,
        };
        Memory { path: path(cache), key }
    }

    /// The answer, if it is about the same host, QEMU and kernel.
    pub(super) fn recall(&self) -> Option<Choice> {
        let answer: Answer = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        let Answer { key, accelerator, reason } = answer;
        (key == self.key).then_some(Choice { accelerator, reason, remembered: true })
    }

    /// Remembers an answer. Where nothing can be written the next run probes again, which costs
    /// seconds and no correctness.
    pub(super) fn keep(&self, choice: &Choice) {
        let answer = Answer {
            key: self.key.clone(),
            accelerator: choice.accelerator,
            reason: choice.reason.clone(),
        };
        let _ = self.write(&answer);
    }

    pub(super) fn clear(cache: &Path) {
        // Absent already is what was wanted.
        let _ = fs::remove_file(path(cache));
    }

    fn write(&self, answer: &Answer) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&file, answer)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

fn path(cache: &Path) -> PathBuf {
    cache.join("accelerator.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qemu(version: &str) -> Program {
        Program { version: version.into(), sandbox: true }
    }

    #[test]
    fn an_answer_is_recalled_for_the_same_qemu_and_device_only() {
        let cache = tempfile::tempdir().unwrap();
        let reason = "it hung".to_owned();
        let found = Choice { accelerator: Accelerator::Tcg, reason, remembered: false };
        Memory::of(cache.path(), &qemu("10"), None, true).keep(&found);
        let same = Memory::of(cache.path(), &qemu("10"), None, true).recall();
        assert_eq!(same, Some(Choice { remembered: true, ..found }));
        assert_eq!(Memory::of(cache.path(), &qemu("11"), None, true).recall(), None);
        assert_eq!(Memory::of(cache.path(), &qemu("10"), None, false).recall(), None);
    }

    #[test]
    fn a_damaged_memory_is_no_memory() {
        let cache = tempfile::tempdir().unwrap();
        fs::write(path(cache.path()), "{").unwrap();
        assert_eq!(Memory::of(cache.path(), &qemu("10"), None, true).recall(), None);
    }

    #[test]
    fn a_cleared_memory_recalls_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let memory = Memory::of(cache.path(), &qemu("10"), None, true);
        memory.keep(&Choice {
            accelerator: Accelerator::Kvm,
            reason: "".into(),
            remembered: false,
        });
        Memory::clear(cache.path());
        assert_eq!(memory.recall(), None);
    }
}
