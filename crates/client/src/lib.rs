//! The Image API and Keystone as a caller, with progress.
