//! Programs that tests use where they find them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use field_clock::Clock;
use tokio::process::Command;

/// Nothing that a test starts takes longer, however busy the machine is; this is no budget.
pub(crate) const LIMIT: Duration = Duration::from_secs(170);

/// Where a program is, if it is anywhere.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Administrators' programs are often not on the path of those who use them.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Runs a command to its end.
pub(crate) async fn finish(mut command: Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let ended = Clock::wall().timeout(LIMIT, child.wait_with_output()).await;
    let ended = ended.unwrap_or_else(|_| panic!("no end of {command:?} within {LIMIT:?}"));
    ended.unwrap_or_else(|error| panic!("wait for {command:?}: {error}"))
}

/// Waits until `done` says something.
pub(crate) async fn until<T>(what: &str, mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let clock = Clock::wall();
    let waited = clock.timeout(LIMIT, async {
        loop {
            if let Some(found) = done().await {
                return found;
            }
            clock.sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("no {what} within {LIMIT:?}"))
}

/// The status services that lie. `cargo test` builds them beside the binaries.
pub(crate) async fn lying_status() -> PathBuf {
    let smoke = Path::new(env!("CARGO_BIN_EXE_smoke"));
    let built = smoke.parent().expect("a binary is in a folder").join("examples/lying_status");
    if !built.is_file() {
        // Somebody asked cargo for this test alone.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["build", "--quiet", "--example", "lying_status"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = finish(command).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    built
}
