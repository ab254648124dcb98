//! Work that waits.

use tokio::task::JoinError;

/// Runs what would block on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(tokio::task::spawn_blocking(work).await)
}

/// What a thread has found out; its panic goes on here.
pub(crate) fn joined<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
