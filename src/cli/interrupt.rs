//! Ctrl-C: once to finish what is under way and stop, twice to stop at once.

use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::printer::Printer;

/// A token that the first Ctrl-C (or a termination by the system) cancels.
///
/// The second ends the process where it stands. That is safe: every intent is on disk before its
/// request leaves, so `resume` finds out what became of it.
pub(super) fn listen() -> CancellationToken {
    let interrupted = CancellationToken::new();
    let token = interrupted.clone();
    tokio::spawn(async move {
        wait().await;
        token.cancel();
        // Apart from what the terminal shows of the keys.
        Printer::warn("");
        Printer::warn(
            "Stopping: requests under way are being finished. Press Ctrl-C again to stop at once.",
        );
        wait().await;
        Printer::warn("");
        Printer::warn(
            "Stopped at once. `syncfilters resume` finds out what became of the last requests.",
        );
        exit_now();
    });
    interrupted
}

#[expect(
    clippy::exit,
    reason = "the second Ctrl-C is there for when nothing else works"
)]
fn exit_now() {
    std::process::exit(Exit::Interrupted as i32);
}

#[cfg(unix)]
async fn wait() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => wait_for_ctrl_c().await,
    }
}

#[cfg(not(unix))]
async fn wait() {
    wait_for_ctrl_c().await;
}

async fn wait_for_ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the process by itself.
        std::future::pending::<()>().await;
    }
}
