//! For callers without a runtime of their own.

use std::future::Future;
use std::io;

/// Runs `future` to its end on a runtime made for it. Not to be called from async code.
///
/// # Errors
/// When the system refuses the runtime its threads.
pub fn blocking<F: Future>(future: F) -> io::Result<F::Output> {
    // Two: one drives the connection while the other waits for a disk or a caller.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(runtime.block_on(future))
}
