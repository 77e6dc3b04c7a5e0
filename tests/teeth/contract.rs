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
        Fate::Failed(Claim(Rule::Blockers, "blocker image-not-found of workflow-worker"), &[]),
    ),
    row("no-dns-detector", "dns-refused", Fate::Failed(Claim(Rule::Blockers, "blocker dns"), &[])),
    row(
        "no-storage-detector",
        "broken-subpath",
        Fate::Failed(Claim(Rule::Blockers, "blocker postgres-storage of db"), &[]),
    ),
    row(
        "no-bootstrap-detector",
        "bootstrap-seed-missing",
        Fate::Failed(Claim(Rule::Blockers, "blocker bootstrap-failed"), &[]),
    ),
    row(
        "no-log-detector",
        "temporal-without-autosetup",
        Fate::Failed(Claim(Rule::Blockers, "blocker temporal-schema of temporal"), &[]),
    ),
    row(
        "no-drift-detector",
        "hand-set-image",
        Fate::Failed(Claim(Rule::Blockers, "blocker release-drift of email-service"), &[]),
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
        Fate::Failed(contract("a completed job with tier bootstrap"), &[]),
    ),
    row(
        "login-without-probe",
        "healthy",
        Fate::Failed(contract("tier login not ready without what it needs"), &[]),
    ),
    row(
        "full-health-without-background",
        "healthy",
        Fate::Failed(
            contract("tier fullHealth not ready without what it needs; last seen tier background not ready"),
            &[],
        ),
    ),
    row(
        "full-health-lost",
        "healthy",
        Fate::Failed(contract("rollup fully_healthy exactly with tier fullHealth"), &[]),
    ),
    row(
        "background-waits-for-all",
        "missing-worker-tag",
        Fate::Failed(contract("tier background ready exactly when its components are"), &[]),
    ),
    row(
        "tiers-are-healthy",
        "healthy",
        Fate::Failed(contract("tier core healthy exactly when it is ready"), &[]),
    ),
    row("other-message", "healthy", Fate::Failed(contract("the message of fully_healthy"), &[])),
    row("two-states", "healthy", Fate::Failed(contract("/status to be /rollup/state"), &[])),
    row("two-next-actions", "healthy", Fate::Failed(contract("/nextAction to be /rollup/nextAction"), &[])),
    row("unknown-is-ready", "healthy", Fate::Failed(contract("no component ready that is unknown"), &[])),
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
        Fate::Failed(Claim(Rule::Eventually, "not once an answer from /api/status: answered 401"), &[]),
    ),
];
