//! Ctrl-C and SIGTERM become a request to stop.

use std::thread;

use anyhow::Context;
use line::Cancel;
use tokio::signal::unix::{SignalKind, signal};

/// The exit status of a command that stopped so, as a shell reports a program that Ctrl-C ended.
pub(crate) const CANCELLED: u8 = 130;

/// A request that the first signal makes. Work then ends by itself and tidies up; a second signal
/// does nothing more.
pub(crate) fn on_signals() -> anyhow::Result<Cancel> {
    let cancel = Cancel::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.context("signals cannot be heard")?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let asked = cancel.clone();
    // Ends with the process: it waits for signals as long as there can be some.
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            asked.cancel();
            eprintln!("\ntintype: stopping, and tidying up");
            std::future::pending::<()>().await;
        });
    });
    Ok(cancel)
}
