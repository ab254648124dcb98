//! The words of the image service's domain: images, members, tags, states; no I/O.
