//! For callers without a runtime of their own.

use std::future::Future;
use std::io;
use std::time::Duration;

/// How long a thread may take to write out what it was given, after its transfer was cancelled. One
/// that is stuck, on a pipe that nobody reads, does not keep the caller.
const THREADS_END_WITHIN: Duration = Duration::from_secs(10);

/// Runs `future` to its end on a runtime made for it. Not to be called from async code.
///
/// # Errors
/// When the system refuses the runtime its threads.
pub fn blocking<F: Future>(future: F) -> io::Result<F::Output> {
    // Two: one drives the connection while the other waits for a disk or a caller.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(THREADS_END_WITHIN);
    Ok(output)
}
