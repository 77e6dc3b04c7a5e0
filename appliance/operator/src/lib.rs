//! The operator's command: bootstrap, status, validate-release, reset.
//!
//! `bootstrap` is a row of steps in `bootstrap`, the first of which, `talos`, makes a cluster of a machine; each says what it does on standard output, applies with the
//! field manager `appliance`, and waits by watching. `reset` takes away what `bootstrap` brought, and nothing else. Deadlines are in the API's time, told by node leases.
//! Exit codes: 0 done, 1 failed, 2 wrong usage.

mod blocker;
mod bootstrap;
mod cli;
mod cluster;
mod core_app;
mod failure;
mod flux;
mod images;
mod lookout;
mod objects;
mod plan;
mod private_file;
mod reconcile;
mod report;
mod reset;
mod settings;
mod site_values;
mod status;
mod storage;
mod talos;
mod time;
mod token;
mod values;
mod waits;

use std::process::ExitCode;

use clap::Parser;

pub use cli::Cli;
pub use failure::{Failure, Layer};

/// The whole process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // Another provider that is already there serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| {
            Failure::new(Layer::Host, "start the runtime", "Free memory and retry.").because(source)
        })
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(cli));
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::failure(&failure);
            failure.exit_code()
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        cli::Command::Bootstrap(arguments) => bootstrap::run(*arguments).await,
        cli::Command::Status(arguments) => status::run(&arguments).await,
        cli::Command::ValidateRelease(arguments) => images::validate(&arguments).await,
        cli::Command::Reset(arguments) => reset::run(&arguments).await,
    }
}
