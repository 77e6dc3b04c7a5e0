//! `smoke`: lists, runs and checks scenarios. Its siblings `appliance` and `appliance-status` are what it tests.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use smoke_harness::world::Binaries;

/// Documents are made of many small pieces; the system's allocator took a sixth of a run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Without a place of its own it finds no siblings, and says so when it needs them.
    let here = std::env::current_exe()
        .ok()
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .unwrap_or_default();
    let sibling = |name: &str| -> PathBuf { here.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)) };
    smoke_harness::cli::main(Binaries {
        appliance: sibling("appliance"),
        appliance_status: sibling("appliance-status"),
    })
}
