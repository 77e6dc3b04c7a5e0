//! Whether the harness has teeth: systems with one thing wrong, and the one claim that each must break.
//!
//! ```text
//!   status    the real status service behind a proxy that changes one thing (examples/mutant_status)
//!   contract  the same, where a service overlooks something or contradicts itself
//!   operator  the real operator's command with one thing changed (examples/mutant_operator)
//!   worlds    the simulated world with one thing that it does otherwise
//!   claims    which findings a mutant must bring about, and which follow from the same
//!   bench     runs one scenario against one mutant
//!   table     docs/teeth.md, from the same tables
//! ```
//! A row of a table is a test. It prints a line: the mutant, the scenario, what broke it, and how long that took.

mod bench;
mod claims;
mod contract;
mod operator;
mod proxied;
mod silence;
mod status;
mod table;
mod worlds;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// More at once would wait for each other: a run is a world and its control, each with two programs.
const AT_ONCE: usize = 2;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let machine = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(machine.min(AT_ONCE));
    let mut trials: Vec<Trial> = status::all().map(status::StatusMutant::trial).collect();
    trials.extend(operator::MUTANTS.iter().map(operator::OperatorMutant::trial));
    trials.extend(worlds::MUTANTS.iter().map(worlds::WorldMutant::trial));
    trials.push(Trial::test("the_table_in_docs_is_this_one", table::check));
    trials
        .push(Trial::test("every_mutant_has_a_row_and_every_scenario_is_green_without_one", table::complete));
    libtest_mimic::run(&arguments, trials).exit_code()
}
