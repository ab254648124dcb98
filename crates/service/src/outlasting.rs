//! Work that outlasts the request that asked for it: what is half done must not be left so because a
//! client has gone.

use crate::error::{ApiError, Result};

/// Does the work to its end, whatever becomes of who waits for it.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.unwrap_or_else(|error| Err(ApiError::internal(&error)))
}
