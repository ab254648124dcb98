//! Outputs that no recipe needs any more.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use disk::ByteSize;

use super::{Key, Output, WorkFolder};
use crate::{Error, Result};

/// What was removed.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Pruned {
    /// How many outputs.
    pub outputs: usize,
    /// How much room they took.
    pub freed: ByteSize,
}

impl WorkFolder {
    /// Removes every output but the newest of each step of each image, and what those were made
    /// from.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn prune(&self) -> Result<Pruned> {
        let outputs = self.outputs()?;
        let kept = kept(outputs.iter().map(|(_, output)| output));
        let mut pruned = Pruned { outputs: 0, freed: ByteSize::new(0) };
        for (folder, output) in &outputs {
            if !kept.contains(&output.key) {
                let freed = allocated(folder).map_err(Error::at(folder))?;
                fs::remove_dir_all(folder).map_err(Error::at(folder))?;
                pruned.outputs += 1;
                pruned.freed = ByteSize::new(pruned.freed.bytes() + freed);
            }
        }
        Ok(pruned)
    }
}

fn kept<'o>(outputs: impl Iterator<Item = &'o Output> + Clone) -> HashSet<&'o Key> {
    let mut newest: HashMap<_, &Output> = HashMap::new();
    for output in outputs.clone() {
        let newer = newest.entry((&output.image, output.step)).or_insert(output);
        if output.made > newer.made {
            *newer = output;
        }
    }
    let by_key: HashMap<&Key, &Output> = outputs.map(|output| (&output.key, output)).collect();
    let mut kept = HashSet::new();
    for output in newest.values() {
        let mut next = Some(&output.key);
        while let Some(key) = next.filter(|key| kept.insert(*key)) {
            next = by_key.get(key).and_then(|output| output.previous.as_ref());
        }
    }
    kept
}

/// Bytes that a folder's files take on the disk.
fn allocated(folder: &Path) -> std::io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        // st_blocks is in units of 512 bytes, whatever the file system's blocks are: stat(2).
        total += entry?.metadata()?.blocks() * 512;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::steps::StepName;

    fn output(image: &str, step: StepName, day: i64, previous: Option<&Output>) -> Output {
        let previous = previous.map(|output| output.key.clone());
        Output {
            step,
            image: image.into(),
            key: Key::of(step, &json!([image, day]), previous.as_ref()),
            previous,
            made: jiff::Timestamp::from_second(day * 86_400).unwrap(),
            seconds: 1.0,
            result: String::new(),
            disk: None,
            found: json!(null),
        }
    }

    #[test]
    fn the_newest_of_each_step_and_image_is_kept_with_what_it_was_made_from() {
        let old_source = output("a", StepName::Source, 1, None);
        let unused = output("a", StepName::Prepare, 1, Some(&old_source));
        let clean = output("a", StepName::Clean, 2, Some(&unused));
        let source = output("a", StepName::Source, 3, None);
        let older = output("a", StepName::Clean, 1, Some(&source));
        let other = output("b", StepName::Source, 1, None);
        let all = [&old_source, &unused, &clean, &source, &older, &other];
        let kept = kept(all.into_iter());
        assert!(kept.contains(&source.key) && kept.contains(&other.key));
        assert!(kept.contains(&clean.key) && kept.contains(&old_source.key));
        assert!(!kept.contains(&older.key));
    }
}
