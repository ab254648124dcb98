//! The directory store: each image a file of its own, `file:///<datadir>/<image id>`, as the
//! `filesystem` driver of glance_store lays it out.

mod copy;
mod directory;
mod options;
mod partial;
mod read;
mod write;
mod writeback;

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use image::ImageId;
use serde_json::{Map, Value};

use crate::blocking::Threads;
use crate::{Abilities, Data, Error, Original, Result, Source, Store, Written};

use directory::{Directory, SCHEMES, Writing};
use options::Mountpoint;

pub(crate) use options::KIND;

/// Why a location is refused, and what to do.
const ELSEWHERE: &str = "lies in none of its directories: where images are to be found there, name \
                         its directory in filesystem_store_datadirs";

/// Directories that hold image data: one, or several of which each image has one.
#[derive(Clone)]
pub struct FileStore {
    /// Never empty; those of the highest priority first.
    directories: Arc<[Arc<Directory>]>,
    /// Those that may wait for all directories.
    threads: Threads,
    properties: Map<String, Value>,
    mountpoints: Arc<[Mountpoint]>,
}

impl FileStore {
    /// Opens the directory, and makes it, durably, when it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self::over(vec![Directory::open(path, 0, Writing::default())?]))
    }

    fn over(mut directories: Vec<Directory>) -> Self {
        directories.sort_by_key(|directory| std::cmp::Reverse(directory.priority));
        let paths: Vec<_> = directories.iter().map(|d| d.path.display().to_string()).collect();
        Self {
            threads: Threads::of(&paths.join(", ")),
            directories: directories.into_iter().map(Arc::new).collect(),
            properties: Map::new(),
            mountpoints: Arc::new([]),
        }
    }

    /// The directory, as it was named; of several, the one of the highest priority.
    pub fn path(&self) -> &Path {
        &self.directories[0].path
    }

    /// The directory of a location, and the name of the file in it.
    fn find<'a>(&self, uri: &'a str) -> Result<(&Arc<Directory>, &'a str)> {
        let mut directories = self.directories.iter();
        directories
            .find_map(|directory| Some((directory, directory.name(uri)?)))
            .ok_or_else(|| Error::BadLocation(format!("{uri} {ELSEWHERE}")))
    }

    /// Where the next image goes: of the highest priority that has room, where there is most. One
    /// that can't be asked is passed over. Errors: `Full`; where none can be asked, the first one's.
    async fn place(&self, size: u64) -> Result<Arc<Directory>> {
        if let [only] = &*self.directories {
            return Ok(only.clone());
        }
        let directories = self.directories.clone();
        let ask = move || {
            let asked = directories.iter().map(|directory| (directory, directory.free()));
            roomiest(asked, size).cloned()
        };
        self.threads.run(ask).await
    }
}

/// The best of several directories for that many bytes, by what is free in each.
fn roomiest<'a>(
    asked: impl Iterator<Item = (&'a Arc<Directory>, Result<u64>)>,
    size: u64,
) -> Result<&'a Arc<Directory>> {
    let (mut known, mut failed) = (Vec::new(), None);
    for (directory, free) in asked {
        match free {
            Ok(free) => known.push((free, directory)),
            Err(error) => {
                tracing::warn!(%error, "a directory is passed over");
                failed.get_or_insert(error);
            }
        }
    }
    let roomy = known.iter().filter(|(free, _)| *free >= size && *free > 0);
    let best = roomy.max_by_key(|(free, directory)| (directory.priority, *free));
    match (best, known.first(), failed) {
        (Some((_, directory)), ..) => Ok(directory),
        (None, None, Some(error)) => Err(error),
        (None, first, _) => {
            let path =
                first.map_or_else(String::new, |(_, first)| first.path.display().to_string());
            Err(Error::Full(path))
        }
    }
}

#[async_trait]
impl Store for FileStore {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn abilities(&self) -> Abilities {
        Abilities { copies: true, ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        self.find(uri).is_ok()
    }

    fn properties(&self) -> Map<String, Value> {
        self.properties.clone()
    }

    fn metadata(&self, uri: &str) -> Map<String, Value> {
        let path = uri.split_once("://").map_or("", |(_, path)| path);
        let found = self.mountpoints.iter().find(|mountpoint| mountpoint.holds(path));
        found.map(Mountpoint::metadata).unwrap_or_default()
    }

    async fn probe(&self) -> Result<()> {
        let directories = self.directories.clone();
        let ask = move || directories.iter().try_for_each(|directory| directory.free().map(drop));
        self.threads.run(ask).await
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let directory = self.place(hint.unwrap_or_default()).await?;
        write::put(directory, id.to_string(), source).await
    }

    async fn copy(&self, id: ImageId, from: Original<'_>) -> Result<Option<Written>> {
        let Some(file) = from.store.file(from.uri).await? else { return Ok(None) };
        let measure = move || {
            let size = file.metadata().map_or(0, |metadata| metadata.len());
            Ok((file, size))
        };
        let (file, size) = self.threads.run(measure).await?;
        let directory = self.place(size).await?;
        copy::copy(directory, id.to_string(), file).await
    }

    async fn file(&self, uri: &str) -> Result<Option<File>> {
        let (directory, name) = self.find(uri)?;
        let threads = directory.threads.clone();
        let (directory, name) = (directory.clone(), name.to_owned());
        threads.run(move || directory.open_file(&name)).await.map(Some)
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let (directory, name) = self.find(uri)?;
        read::open(directory.clone(), name.to_owned(), range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        let (directory, name) = self.find(uri)?;
        let threads = directory.threads.clone();
        let (directory, name) = (directory.clone(), name.to_owned());
        let look = move || {
            let file = directory.open_file(&name)?;
            file.metadata().map(|m| m.len()).map_err(|e| directory.failed(&name, e))
        };
        threads.run(look).await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        let (directory, name) = self.find(uri)?;
        let threads = directory.threads.clone();
        let (directory, name) = (directory.clone(), name.to_owned());
        threads.run(move || directory.remove(&name)).await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        let directories = self.directories.clone();
        let remove = move || {
            let mut found = false;
            for directory in directories.iter() {
                match directory.remove(&id.to_string()) {
                    Ok(()) => found = true,
                    Err(Error::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(found)
        };
        self.threads.run(remove).await
    }

    async fn stored(&self) -> Result<Vec<ImageId>> {
        let directories = self.directories.clone();
        let list = move || {
            let mut ids = Vec::new();
            for directory in directories.iter() {
                ids.extend(
                    directory.names()?.iter().filter_map(|name| name.parse::<ImageId>().ok()),
                );
            }
            Ok(ids)
        };
        self.threads.run(list).await
    }

    async fn sweep(&self) -> Result<usize> {
        let directories = self.directories.clone();
        self.threads.run(move || directories.iter().map(|d| partial::sweep(d)).sum()).await
    }
}

#[cfg(test)]
mod tests;
