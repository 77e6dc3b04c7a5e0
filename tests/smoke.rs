//! The main job: every scenario, as a test. See `smoke_harness::suite`.

use std::path::PathBuf;
use std::process::ExitCode;

use smoke_harness::world::Binaries;

fn main() -> ExitCode {
    smoke_harness::suite::main(Binaries {
        appliance: PathBuf::from(env!("CARGO_BIN_EXE_appliance")),
        appliance_status: PathBuf::from(env!("CARGO_BIN_EXE_appliance-status")),
    })
}
