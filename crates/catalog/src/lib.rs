//! Where records live: the catalog of images on Glance's schema.
