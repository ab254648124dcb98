//! What is inside a disk, seen as a root directory: prepare, clean and check a guest.
