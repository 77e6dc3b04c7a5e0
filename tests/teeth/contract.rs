//! Mutants of the status service that overlook something, or contradict themselves or the contract.

use smoke_harness::judge::Rule;

use crate::claims::{Claim, Fate};
use crate::status::{StatusMutant, row};

const fn contract(text: &'static str) -> Claim {
    Claim(Rule::Contract, text)
}

/// All of them.
pub(crate) const MUTANTS: &[StatusMutant] = &[
    row(
        "no-image-detector",
        "missing-worker-tag",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker image-not-found of workflow-worker"),
            &[Claim(Rule::Within, "last seen no blocker")],
        ),
    ),
    row(
        "no-dns-detector",
        "dns-refused",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker dns"),
            &[
                contract("rollup installing with no login-blocking blocker"),
                Claim(Rule::Order, "last seen no blocker"),
                Claim(Rule::Within, "last seen no blocker"),
            ],
        ),
    ),
    row(
        "no-storage-detector",
        "broken-subpath",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker postgres-storage of db"),
            &[
                contract("rollup installing with no login-blocking blocker"),
                Claim(Rule::Order, "last seen no blocker"),
                Claim(Rule::Within, "last seen no blocker"),
            ],
        ),
    ),
    row(
        "no-bootstrap-detector",
        "bootstrap-seed-missing",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker bootstrap-failed"),
            &[
                Claim(Rule::Blockers, "only bootstrap-failed"),
                Claim(Rule::Unlisted, "helm of alga-core"),
                contract("helm of alga-core with layer"),
                contract("helm of alga-core with a next action"),
                contract("rollup installing with no login-blocking blocker"),
                Claim(Rule::Never, "blocker helm"),
                Claim(Rule::Order, "last seen no blocker"),
                Claim(Rule::Within, "last seen no blocker"),
            ],
        ),
    ),
    row(
        "no-log-detector",
        "temporal-without-autosetup",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker temporal-schema of temporal"),
            &[
                Claim(Rule::Blockers, "only temporal-schema of temporal"),
                Claim(Rule::Unlisted, "background-workload of temporal"),
                Claim(Rule::Within, "last seen no blocker"),
            ],
        ),
    ),
    row(
        "no-drift-detector",
        "hand-set-image",
        Fate::Failed(
            Claim(Rule::Blockers, "blocker release-drift of email-service"),
            &[Claim(Rule::Order, "last seen no blocker"), Claim(Rule::Within, "last seen no blocker")],
        ),
    ),
    row(
        "roots-swapped",
        "two-images-two-answers",
        Fate::Failed(Claim(Rule::Blockers, "blockers in the order"), &[]),
    ),
    row("second-root-lost", "two-images-two-answers", Fate::Failed(Claim(Rule::Blockers, "blocker "), &[])),
    row(
        "core-without-pgbouncer",
        "healthy",
        Fate::Failed(
            contract("tier core not ready without what it needs; last seen pgbouncer not ready"),
            &[],
        ),
    ),
    row(
        "bootstrap-without-job",
        "healthy",
        Fate::Survives("a scenario in which the job has not completed and the users' table is there"),
    ),
    row(
        "login-without-probe",
        "healthy",
        Fate::Survives("a row against a scenario in which only the login probe fails"),
    ),
    row(
        "full-health-without-background",
        "healthy",
        Fate::Failed(
            contract("tier fullHealth not ready without what it needs; last seen tier background not ready"),
            &[contract("rollup fully_healthy exactly with tier fullHealth")],
        ),
    ),
    row(
        "full-health-lost",
        "healthy",
        Fate::Failed(
            contract("rollup fully_healthy exactly with tier fullHealth"),
            &[Claim(Rule::Eventually, "tier fullHealth ready")],
        ),
    ),
    row(
        "background-waits-for-all",
        "missing-worker-tag",
        Fate::Failed(
            contract("tier background ready exactly when its components are"),
            &[Claim(Rule::Eventually, "tier background not-ready")],
        ),
    ),
    row(
        "tiers-are-healthy",
        "healthy",
        Fate::Failed(
            contract("tier core healthy exactly when it is ready"),
            &[
                contract("tier background healthy"),
                contract("tier bootstrap healthy"),
                contract("tier fullHealth healthy"),
                contract("tier login healthy"),
                contract("tier platform healthy"),
            ],
        ),
    ),
    row(
        "other-message",
        "healthy",
        Fate::Failed(contract("the message of fully_healthy"), &[contract("the message of installing")]),
    ),
    row("two-states", "healthy", Fate::Failed(contract("/status to be /rollup/state"), &[])),
    row("two-next-actions", "healthy", Fate::Failed(contract("/nextAction to be /rollup/nextAction"), &[])),
    row(
        "unknown-is-ready",
        "healthy",
        Fate::Failed(
            contract("no component ready that is unknown"),
            &[contract("tier background ready exactly when its components are")],
        ),
    ),
    row(
        "component-lost",
        "healthy",
        Fate::Failed(contract("every component; last seen no temporal-ui"), &[]),
    ),
    row(
        "severity-lost",
        "core-tag-missing",
        Fate::Failed(contract("severity critical exactly where a blocker is login-blocking"), &[]),
    ),
    row("events-dropped", "healthy", Fate::Failed(contract("some of the install's events"), &[])),
    row("events-without-end", "healthy", Fate::Failed(contract("at most 20 recentEvents"), &[])),
    row("job-forgotten", "healthy", Fate::Failed(contract("a completed job with tier bootstrap"), &[])),
    row("users-forgotten", "healthy", Fate::Failed(contract("users with tier bootstrap"), &[])),
    row(
        "probe-forgotten",
        "healthy",
        Fate::Failed(
            contract("tier login not ready without what it needs; last seen the login probe not reachable"),
            &[],
        ),
    ),
    row("size-invented", "slow-core-image", Fate::Failed(contract("about 1.8 GB of"), &[])),
    row(
        "progress-invented",
        "slow-core-image",
        Fate::Failed(contract("no progress of a pull, and why"), &[]),
    ),
    row("two-login-urls", "healthy", Fate::Failed(contract("/loginUrl to be /urls/loginUrl"), &[])),
    row(
        "closed-door",
        "healthy",
        Fate::Failed(
            Claim(Rule::Eventually, "not once an answer from /api/status: answered 4"),
            &[Claim(Rule::Order, "last seen no login-ready")],
        ),
    ),
];
