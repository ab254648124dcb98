//! Directories: one, and several of which each image has one.

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use tempfile::TempDir;

use crate::conformance::{Subject, suite};

async fn one() -> Option<Subject> {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let path = dir.path().display();
    let options = format!("filesystem_store_datadir = {path}/images");
    Some(Subject {
        odd_names: Some(format!("filesystem_store_datadir = {path}/oh, an #odd? 100% n\u{e4}me")),
        held: Some(Box::new({
            let dir = dir.clone();
            move || std::future::ready(files(&dir)).boxed()
        })),
        keep: vec![Box::new(dir)],
        ..Subject::new("file", options)
    })
}

/// Every file in the directories that a subject may use.
fn files(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .flat_map(|folder| names(&folder.unwrap().path()))
        .collect();
    names.sort();
    names
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

async fn of_holes() -> Option<Subject> {
    let subject = one().await?;
    let options = format!("{}\nfilesystem_thin_provisioning = true", subject.options);
    Some(Subject { options, ..subject })
}

async fn by_priority() -> Option<Subject> {
    let subject = one().await?;
    let one = subject.options.trim_start_matches("filesystem_store_datadir = ");
    let options = format!(
        "filesystem_store_datadirs = {one}-low:1\nfilesystem_store_datadirs = {one}-high:2"
    );
    Some(Subject { options, ..subject })
}

mod plain {
    use super::*;
    suite!(one);
}

mod thin {
    use super::*;
    suite!(of_holes);
}

mod several {
    use super::*;
    suite!(by_priority);
}
