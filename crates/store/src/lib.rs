//! Where bytes live: the store of image data.
