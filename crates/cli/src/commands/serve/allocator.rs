//! How the C library's allocator gives memory back.
#![allow(unsafe_code)]

/// Blocks from this size on, in bytes, are mapped and unmapped one by one.
const MAPPED: i32 = 4 * 1024 * 1024;

/// Keeps large blocks out of the allocator's arenas. glibc moves the size from which on it maps
/// them up to that of the largest one that was freed; from then on every thread that checked a
/// password keeps the 19 MiB that this took, up to 370 MiB of them.
#[cfg(target_env = "gnu")]
pub(super) fn return_large_blocks() {
    // SAFETY: mallopt takes two integers and is safe to call from any thread (mallopt(3)); a value
    // that it refuses changes nothing.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED) };
}

/// Other allocators have no such threshold.
#[cfg(not(target_env = "gnu"))]
pub(super) fn return_large_blocks() {}
