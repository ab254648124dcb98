//! How a command ends.

use std::future::Future;
use std::process::ExitCode;

use crate::commands::Outcome;
use tokio::signal::unix::{SignalKind, signal};

/// For the help of every command.
pub(in crate::commands) const CODES: &str =
    "Exit codes: 0 done; 1 failed; 2 wrong usage; 130 cancelled.";

/// By Ctrl-C, as shells report it.
pub(in crate::commands) fn cancelled() -> ExitCode {
    ExitCode::from(130)
}

/// For commands that leave nothing half done.
pub(in crate::commands) async fn unless_cancelled(
    command: impl Future<Output = Outcome>,
) -> Outcome {
    or_cancelled(command).await.unwrap_or_else(|| Ok(cancelled()))
}

/// What `work` gives, or none when Ctrl-C or SIGTERM came first and it was dropped.
pub(in crate::commands) async fn or_cancelled<F: Future>(work: F) -> Option<F::Output> {
    tokio::select! {
        outcome = work => Some(outcome),
        () = told_to_stop() => None,
    }
}

async fn told_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => (),
            _ = terminate.recv() => (),
        },
        // Without a handler the signal ends the process, as it does by default.
        Err(_) => std::future::pending().await,
    }
}
