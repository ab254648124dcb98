//! Repetition of requests whose failure may pass.

use std::future::Future;
use std::time::Duration;

use crate::{Error, Result};

/// How often a request is made, at most, where no option says so.
const ATTEMPTS: u32 = 4;

/// The pause before the first repetition; each further one is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A request that failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It may do the next time.
    Passing(Error),
    /// Nothing came for as long as a server may be silent: so it may be the next time, and who waits
    /// has waited long enough.
    Silent(Error),
    /// It will not.
    Lasting(Error),
}

impl Failed {
    /// The error, whichever it is.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::Passing(error) | Self::Silent(error) | Self::Lasting(error) => error,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

/// Makes a request until it succeeds, fails for good, or has failed often enough. Errors: the last
/// failure's.
pub(crate) async fn retried<T, F>(request: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, Failed>>,
{
    attempted(ATTEMPTS, request).await
}

/// The same, with as many attempts as an option says.
pub(crate) async fn attempted<T, F>(attempts: u32, mut request: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, Failed>>,
{
    for attempt in 1.. {
        match request().await {
            Ok(value) => return Ok(value),
            Err(Failed::Passing(error)) if attempt < attempts => {
                tracing::debug!(%error, attempt, "a request to a store is repeated");
                let pause = PAUSE.saturating_mul(2_u32.saturating_pow(attempt - 1));
                tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
            }
            Err(failed) => return Err(failed.error()),
        }
    }
    unreachable!("the last attempt returns")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn attempts(until: u32, failure: impl Fn() -> Failed) -> (u32, bool) {
        let mut made = 0;
        let done = retried(|| {
            made += 1;
            let failed = (made < until).then(&failure);
            async move { failed.map_or(Ok(()), Err) }
        })
        .await;
        (made, done.is_ok())
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        let error = || Error::Full("x".into());
        assert_eq!(attempts(2, || Failed::Passing(error())).await, (2, true));
        assert_eq!(attempts(9, || Failed::Passing(error())).await, (ATTEMPTS, false));
        assert_eq!(attempts(2, || Failed::Lasting(error())).await, (1, false));
        assert_eq!(attempts(2, || Failed::Silent(error())).await, (1, false));
    }
}
