//! Mutants of the operator's command. What each does stands in `examples/mutant_operator`.

use libtest_mimic::{Failed, Trial};
use smoke_harness::judge::Rule;
use smoke_harness::world::sim;

use crate::bench::{Attempt, SHORT};
use crate::claims::{Claim, Fate};
use crate::proxied::mutant_operator;

/// A mutant of the operator's command, in a scenario.
pub(crate) struct OperatorMutant {
    pub(crate) name: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) fate: Fate,
}

const fn row(name: &'static str, scenario: &'static str, fate: Fate) -> OperatorMutant {
    OperatorMutant { name, scenario, fate }
}

const BLOCK: Claim = Claim(Rule::Operator, "the command to print `Appliance status UI (submitted):`");

/// All of them, each with the claim that it must break.
pub(crate) const MUTANTS: &[OperatorMutant] = &[
    row("none", "healthy", Fate::Green("the command between alone changes nothing")),
    row("none", "dns-refused", Fate::Green("the command between alone changes nothing")),
    row("no-status-block", "healthy", Fate::Failed(BLOCK, &[])),
    row("silent", "healthy", Fate::Failed(BLOCK, &[])),
    row(
        "other-token",
        "healthy",
        Fate::Failed(Claim(Rule::Operator, "the command to print the token of the status page"), &[]),
    ),
    row("fails-at-the-end", "healthy", Fate::Failed(Claim(Rule::Operator, "the command to end well"), &[])),
    row(
        "dry",
        "healthy",
        Fate::Failed(
            Claim(Rule::Eventually, "not once an answer from /api/status"),
            &[
                Claim(Rule::Operator, "Appliance status UI (submitted):"),
                Claim(Rule::Order, "last seen no status-page"),
                Claim(Rule::Order, "last seen no app"),
                Claim(Rule::Order, "last seen no login-ready"),
            ],
        ),
    ),
    row(
        "one-dns-server",
        "dns-refused",
        Fate::Survives("a scenario in which only the first of two name servers answers"),
    ),
];

impl OperatorMutant {
    /// The test of this row.
    pub(crate) fn trial(&'static self) -> Trial {
        Trial::test(format!("{}_in_{}", self.name, self.scenario), || self.judge()).with_kind("operator")
    }

    fn judge(&self) -> Result<(), Failed> {
        let program = mutant_operator()?.display().to_string();
        let real = env!("CARGO_BIN_EXE_appliance").to_owned();
        Attempt {
            mutant: self.name,
            scenario: self.scenario,
            fate: self.fate,
            patience: SHORT,
            factory: sim::factory(),
            status_command: None,
            operator_command: Some(vec![program, self.name.to_owned(), real]),
        }
        .judge()
    }
}
