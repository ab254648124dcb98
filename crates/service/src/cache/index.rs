//! What is in the cache, in memory: the answer to "is it cached?" costs no file and no database.

use std::collections::HashMap;

use catalog::CachedImage;
use image::{ImageId, Timestamp};

/// The whole images of the cache.
#[derive(Default)]
pub(super) struct Index {
    entries: HashMap<ImageId, Entry>,
}

struct Entry {
    image: CachedImage,
    /// Read since its record was last written.
    unrecorded: bool,
}

impl Index {
    pub(super) fn insert(&mut self, image: CachedImage) {
        self.entries.insert(image.image_id, Entry { image, unrecorded: false });
    }

    pub(super) fn contains(&self, id: ImageId) -> bool {
        self.entries.contains_key(&id)
    }

    pub(super) fn remove(&mut self, id: ImageId) -> Option<CachedImage> {
        self.entries.remove(&id).map(|entry| entry.image)
    }

    /// Counts a download from the cache; says how large the image is there.
    pub(super) fn hit(&mut self, id: ImageId, now: Timestamp) -> Option<u64> {
        let entry = self.entries.get_mut(&id)?;
        entry.image.hits += 1;
        entry.image.last_accessed = now;
        entry.unrecorded = true;
        Some(entry.image.size)
    }

    /// All images, by id.
    pub(super) fn all(&self) -> Vec<CachedImage> {
        let mut all: Vec<_> = self.entries.values().map(|entry| entry.image.clone()).collect();
        all.sort_by_key(|image| image.image_id);
        all
    }

    /// Those that were read since they were last recorded; from now on they count as recorded.
    pub(super) fn take_unrecorded(&mut self) -> Vec<CachedImage> {
        let unrecorded = self.entries.values_mut().filter(|entry| entry.unrecorded);
        unrecorded
            .map(|entry| {
                entry.unrecorded = false;
                entry.image.clone()
            })
            .collect()
    }

    /// Those that have to go, least recently read first, for at most `max` bytes to be left.
    pub(super) fn surplus(&self, max: u64) -> Vec<(ImageId, u64)> {
        let mut images: Vec<_> = self.entries.values().map(|entry| &entry.image).collect();
        images.sort_by_key(|image| (image.last_accessed, image.image_id));
        let mut total: u64 = images.iter().map(|image| image.size).sum();
        let goes = |image: &&&CachedImage| {
            let over = total > max;
            total -= if over { image.size } else { 0 };
            over
        };
        images.iter().take_while(goes).map(|image| (image.image_id, image.size)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(size: u64, read: i64) -> CachedImage {
        let instant = Timestamp::from_microsecond(read);
        CachedImage {
            row: None,
            image_id: ImageId::random(),
            size,
            hits: 0,
            last_accessed: instant,
            last_modified: instant,
            checksum: None,
        }
    }

    #[test]
    fn the_least_recently_read_go_first_and_no_more_than_must() {
        let images = [image(10, 1), image(20, 2), image(30, 3)];
        let mut index = Index::default();
        images.iter().cloned().for_each(|image| index.insert(image));
        index.hit(images[0].image_id, Timestamp::from_microsecond(4));
        assert_eq!(index.surplus(60), []);
        assert_eq!(index.surplus(59), [(images[1].image_id, 20)]);
        let order: Vec<_> = index.surplus(0).into_iter().map(|(id, _)| id).collect();
        assert_eq!(order, [images[1].image_id, images[2].image_id, images[0].image_id]);
    }

    #[test]
    fn a_hit_is_recorded_once() {
        let mut index = Index::default();
        let image = image(10, 1);
        index.insert(image.clone());
        assert_eq!(index.take_unrecorded(), []);
        index.hit(image.image_id, Timestamp::from_microsecond(2));
        assert_eq!(index.take_unrecorded().iter().map(|image| image.hits).sum::<u64>(), 1);
        assert_eq!(index.take_unrecorded(), []);
    }
}
