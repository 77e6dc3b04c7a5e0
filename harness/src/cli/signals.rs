//! Ctrl-C: once ends the run in order, twice ends it at once.

use nix::sys::signal::{Signal, raise};
use tokio::signal::unix::{SignalKind, signal};

use crate::run::Stop;

/// Listens for the life of the process.
///
/// # Errors
/// When the system gives no thread or no signal handler.
pub(super) fn listen(stop: Stop) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            futures::future::select(std::pin::pin!(interrupt.recv()), std::pin::pin!(terminate.recv())).await;
            stop.throw();
            futures::future::select(std::pin::pin!(interrupt.recv()), std::pin::pin!(terminate.recv())).await;
            // Nothing is left to be done in order; the next start sweeps.
            let _ = raise(Signal::SIGKILL);
        });
    })?;
    Ok(())
}
