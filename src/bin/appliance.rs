//! The operator's command; see `appliance/operator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    appliance_operator::main()
}
