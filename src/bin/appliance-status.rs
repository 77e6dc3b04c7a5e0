//! The appliance's status service; see `appliance/service`.

use std::process::ExitCode;

fn main() -> ExitCode {
    appliance_service::main()
}
