//! The HTTP wing: Image API v2 over a catalog and a store.
