//! Mutants of the status service. What each does stands in `examples/mutant_status/mutants.rs`.

use libtest_mimic::{Failed, Trial};
use smoke_harness::judge::Rule;
use smoke_harness::world::sim;

use crate::bench::{Attempt, SHORT};
use crate::claims::{Claim, Fate};
use crate::contract;
use crate::proxied::mutant_status;

/// A mutant of the status service, in a scenario.
pub(crate) struct StatusMutant {
    pub(crate) name: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) fate: Fate,
}

pub(crate) const fn row(name: &'static str, scenario: &'static str, fate: Fate) -> StatusMutant {
    StatusMutant { name, scenario, fate }
}

const NO_BLOCKER_IN_TIME: Claim = Claim(Rule::Within, "blocker within 1m00s; last seen no blocker");

const NOTHING_IS_WRONG: Fate = Fate::Green("the proxy alone changes nothing");

/// Mutants and scenarios that need as long as they get in every run.
const SLOW: [&str; 2] = ["progress-hides", "slow-core-image"];

/// Those of `contract.rs` too.
pub(crate) fn all() -> impl Iterator<Item = &'static StatusMutant> {
    MUTANTS.iter().chain(contract::MUTANTS)
}

/// Those that say something else than the scenario expects, each with the claim that it must break.
const MUTANTS: &[StatusMutant] = &[
    row("none", "healthy", NOTHING_IS_WRONG),
    row("none", "missing-worker-tag", NOTHING_IS_WRONG),
    row("none", "temporal-without-autosetup", NOTHING_IS_WRONG),
    row("none", "service-link-collision", NOTHING_IS_WRONG),
    row("none", "slow-core-image", NOTHING_IS_WRONG),
    row("none", "core-tag-missing", NOTHING_IS_WRONG),
    row("none", "two-images-two-answers", NOTHING_IS_WRONG),
    row("none", "hand-set-image", NOTHING_IS_WRONG),
    row("none", "bootstrap-seed-missing", NOTHING_IS_WRONG),
    row("none", "broken-subpath", NOTHING_IS_WRONG),
    row("none", "dns-refused", NOTHING_IS_WRONG),
    row(
        "wrong-component",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker image-not-found of workflow-worker"),
            &[Claim(Rule::Blockers, "also image-not-found of email-service"), NO_BLOCKER_IN_TIME],
        ),
    ),
    row(
        "wrong-code",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Blockers, "last seen blockers image-registry of workflow-worker"),
            &[
                Claim(Rule::Blockers, "also image-registry of workflow-worker"),
                Claim(Rule::Unlisted, "image-registry of workflow-worker"),
                NO_BLOCKER_IN_TIME,
            ],
        ),
    ),
    row(
        "wrong-layer",
        "missing-worker-tag",
        Fate::Failed(
            Claim(
                Rule::Contract,
                "with layer `Image tag availability`; last seen layer `Helm release failure`",
            ),
            &[],
        ),
    ),
    row(
        "lost-next-action",
        "missing-worker-tag",
        Fate::Failed(
            Claim(
                Rule::Contract,
                "with a next action that begins `Publish the missing image tag`; last seen no next action",
            ),
            &[],
        ),
    ),
    row(
        "other-next-action",
        "temporal-without-autosetup",
        Fate::Failed(
            Claim(Rule::Contract, "that begins `Ensure Temporal autosetup`; last seen next action `Inspect"),
            &[],
        ),
    ),
    row(
        "reason-without-image",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Blockers, "with reason /workflow-worker:.*/; last seen reason `Image tag not found`"),
            &[],
        ),
    ),
    row(
        "login-blocking-inverted",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Blockers, "with loginBlocking false; last seen loginBlocking true"),
            &[Claim(Rule::Contract, "severity critical exactly where a blocker is login-blocking")],
        ),
    ),
    row(
        "consequence-first",
        "temporal-without-autosetup",
        Fate::Failed(
            Claim(
                Rule::Blockers,
                "only temporal-schema of temporal; last seen also background-workload of temporal",
            ),
            &[Claim(Rule::Unlisted, "background-workload of temporal")],
        ),
    ),
    row(
        "consequence-on-top",
        "service-link-collision",
        Fate::Failed(
            Claim(
                Rule::Blockers,
                "only service-link of temporal-ui; last seen also background-workload of temporal-ui",
            ),
            &[Claim(Rule::Unlisted, "background-workload of temporal-ui")],
        ),
    ),
    row(
        "a-minute-late",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Within, "blocker within 1m00s; last seen it after 1m"),
            &[Claim(Rule::Contract, "news with the time at which they are told")],
        ),
    ),
    row(
        "frozen",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Eventually, "rollup ready_with_background_issues; last seen rollup installing"),
            &[
                Claim(Rule::Eventually, "tier login ready"),
                Claim(Rule::Blockers, "last seen no blocker"),
                Claim(Rule::Order, "last seen no login-ready"),
                Claim(Rule::Control, "login-ready; last seen no login-ready"),
                NO_BLOCKER_IN_TIME,
            ],
        ),
    ),
    row(
        "progress-hides",
        "missing-worker-tag",
        Fate::Failed(Claim(Rule::Within, "blocker within 1m00s; last seen it after"), &[]),
    ),
    row(
        "always-blocked",
        "healthy",
        Fate::Failed(
            Claim(Rule::Unlisted, "no blocker at any moment; last seen workload of redis"),
            &[
                Claim(Rule::Blockers, "no blocker; last seen also workload of redis"),
                Claim(Rule::Contract, "a rollup with issues while a blocker stands"),
            ],
        ),
    ),
    row(
        "hasty",
        "healthy",
        Fate::Failed(Claim(Rule::Unlisted, "no blocker at any moment; last seen workload of redis"), &[]),
    ),
    row(
        "never-forgets",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Recovers, "no blocker; last seen image-not-found of workflow-worker still"),
            &[Claim(Rule::Contract, "a rollup with issues while a blocker stands")],
        ),
    ),
    row(
        "late-page",
        "missing-worker-tag",
        Fate::Failed(Claim(Rule::Within, "status-page within 20s; last seen it after"), &[]),
    ),
    row(
        "no-page",
        "healthy",
        Fate::Failed(
            Claim(Rule::Order, "status-page before app before login-ready; last seen no status-page"),
            &[],
        ),
    ),
    row(
        "flapping-rollup",
        "healthy",
        Fate::Failed(
            Claim(Rule::Eventually, "rollup fully_healthy; last seen rollup ready_to_log_in"),
            &[Claim(Rule::Contract, "rollup fully_healthy exactly with tier fullHealth")],
        ),
    ),
    row(
        "background-is-failure",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Never, "never rollup failed_action_required"),
            &[
                Claim(Rule::Eventually, "last seen rollup failed_action_required"),
                Claim(Rule::Contract, "a rollup of a login that is ready"),
            ],
        ),
    ),
    row(
        "login-early",
        "healthy",
        Fate::Failed(
            Claim(Rule::Order, "last seen login-ready at"),
            &[
                Claim(Rule::Contract, "a rollup of a login that is ready"),
                Claim(Rule::Contract, "tier login not ready without what it needs"),
            ],
        ),
    ),
    row(
        "background-early",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Eventually, "tier background not-ready; last seen tier background ready"),
            &[Claim(Rule::Contract, "tier background ready exactly when its components are")],
        ),
    ),
    row(
        "consequences-dropped",
        "temporal-without-autosetup",
        Fate::Failed(
            Claim(
                Rule::Blockers,
                "with consequences background-workload of temporal; last seen consequences none",
            ),
            &[],
        ),
    ),
    row(
        "old-timestamp",
        "healthy",
        Fate::Failed(Claim(Rule::Contract, "news with the time at which they are told"), &[]),
    ),
    row(
        "operations-hidden",
        "slow-core-image",
        Fate::Failed(Claim(Rule::Once, "once rollup installing, operation pulling_image of alga-core"), &[]),
    ),
    row(
        "open-door",
        "healthy",
        Fate::Failed(
            Claim(Rule::Contract, "/api/status to ask for the token; last seen an answer of 200"),
            &[],
        ),
    ),
    row(
        "foreign-login-url",
        "healthy",
        Fate::Failed(
            Claim(
                Rule::Contract,
                "a login URL that leads to the application; last seen `http://192.0.2.1:3000`",
            ),
            &[],
        ),
    ),
];

impl StatusMutant {
    /// The test of this row.
    pub(crate) fn trial(&'static self) -> Trial {
        Trial::test(format!("{}_in_{}", self.name, self.scenario), || self.judge()).with_kind("status")
    }

    fn judge(&self) -> Result<(), Failed> {
        let program = mutant_status()?.display().to_string();
        Attempt {
            mutant: self.name,
            scenario: self.scenario,
            fate: self.fate,
            // What hides behind progress comes out when the release has given up, and a slow pull takes its time.
            patience: if [self.name, self.scenario].iter().any(|it| SLOW.contains(it)) {
                None
            } else {
                SHORT
            },
            factory: sim::factory(),
            status_command: Some(vec![
                program,
                self.name.to_owned(),
                env!("CARGO_BIN_EXE_appliance-status").to_owned(),
            ]),
            operator_command: None,
        }
        .judge()
    }
}
