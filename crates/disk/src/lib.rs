//! What a disk file is: detect, inspect for danger, create, convert, resize.
