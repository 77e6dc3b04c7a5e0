//! The appliance's status service; see `appliance/service`.

use std::process::ExitCode;

/// Documents are made of many small pieces; the system's allocator took a sixth of a run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    appliance_service::main()
}
