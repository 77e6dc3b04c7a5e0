//! What a release needs next.

use serde_json::Value;

use super::policy::{Action, Remedy, Tests, failures, is_exhausted, remedies_last, remedy};
use super::release::{Desired, Release};

/// The next step of a release.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Install,
    Upgrade,
    /// The same, but not before a while is over.
    UpgradeLater(std::time::Duration),
    /// Frees a release that an action left pending.
    Unlock,
    Uninstall,
    Rollback,
    /// Runs the release's tests.
    Test,
    /// Nothing: it is what is wanted.
    Settled,
    /// Nothing: it has failed too often.
    Stalled(Action),
}

/// The action whose failure counts now.
fn active(object: &Value) -> Action {
    if object["status"]["lastAttemptedReleaseAction"] == "install" {
        Action::Install
    } else {
        Action::Upgrade
    }
}

fn is_forced(object: &Value) -> bool {
    let annotation = |name: &str| &object["metadata"]["annotations"][name];
    let force = annotation("reconcile.fluxcd.io/forceAt");
    force.is_string()
        && *force == *annotation("reconcile.fluxcd.io/requestedAt")
        && *force != object["status"]["lastHandledForceAt"]
}

/// Decides by the records, newest first, and by what the object says and has counted.
pub(super) fn next(object: &Value, records: &[Release], desired: &Desired) -> Next {
    let forced = is_forced(object);
    let Some(latest) =
        records.first().filter(|latest| !matches!(latest.status.as_str(), "uninstalled" | "uninstalling"))
    else {
        let over = failures(object, Action::Install) > 0 && is_exhausted(object, Action::Install);
        return if over && !forced { Next::Stalled(Action::Install) } else { Next::Install };
    };
    if latest.is_pending() {
        return Next::Unlock;
    }
    if forced {
        return Next::Upgrade;
    }
    let tested = tested(object, latest);
    if latest.matches(desired) && tested == Tested::Not {
        return Next::Test;
    }
    if latest.status == "failed" || latest.matches(desired) && tested == Tested::Failed {
        let action = active(object);
        if failures(object, action) <= 0 {
            return Next::Upgrade;
        }
        if let Remedy::Upgrade(pause) = remedy(object, action) {
            return Next::UpgradeLater(pause);
        }
        if is_exhausted(object, action) && !remedies_last(object, action) {
            return Next::Stalled(action);
        }
        return match remedy(object, action) {
            Remedy::Rollback if records.iter().skip(1).any(|release| release.status == "deployed") => {
                Next::Rollback
            }
            Remedy::Rollback => Next::Stalled(action),
            _ => Next::Uninstall,
        };
    }
    if latest.matches(desired) {
        return Next::Settled;
    }
    if failures(object, Action::Upgrade) > 0 && is_exhausted(object, Action::Upgrade) {
        return Next::Stalled(Action::Upgrade);
    }
    Next::Upgrade
}

/// Why that is the next step, as the controller logs it.
pub(super) fn reasons(next: &Next, object: &Value, records: &[Release], desired: &Desired) -> Vec<String> {
    let known = |latest: &Release| {
        let history = object["status"]["history"].as_array().map_or(&[][..], Vec::as_slice);
        history.iter().any(|entry| entry["version"] == latest.version)
    };
    let Some(latest) = records.first() else {
        return vec!["release not installed: no release in storage for object".to_owned()];
    };
    let failed = "release is in a failed state";
    let line = match next {
        Next::Install => "release not installed: no release in storage for object".to_owned(),
        Next::Unlock => format!("release locked: release with status '{}'", latest.status),
        Next::Test => "release has not been tested".to_owned(),
        Next::Settled => return Vec::new(),
        _ if !known(latest) => {
            "release not managed by controller: found existing release in storage".to_owned()
        }
        Next::Upgrade if latest.status == "failed" => {
            return vec![failed.to_owned(), "release conditions have changed since last failure".to_owned()];
        }
        _ if latest.status == "failed" => failed.to_owned(),
        _ if tested(object, latest) == Tested::Failed && latest.matches(desired) => {
            format!("{failed}: release has test in failed phase")
        }
        _ => format!("release out-of-sync with desired state: {}", latest.difference(desired)),
    };
    vec![line]
}

/// What the release's tests have said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tested {
    /// Nothing: they are to run.
    Not,
    /// They failed, and that matters.
    Failed,
    /// Nothing that matters.
    Over,
}

fn tested(object: &Value, latest: &Release) -> Tested {
    let tests = Tests::of(object);
    if tests == Tests::Off || latest.status != "deployed" {
        return Tested::Over;
    }
    let known = &object["status"]["history"][0];
    match known["testHooks"].as_object().filter(|_| known["version"] == latest.version) {
        None => Tested::Not,
        Some(hooks) if tests == Tests::Matter && hooks.values().any(|hook| hook["phase"] == "Failed") => {
            Tested::Failed
        }
        Some(_) => Tested::Over,
    }
}

/// Whether failures that were counted no longer count: something has changed, or a reset was asked for.
pub(super) fn must_reset(object: &Value, desired: &Desired) -> bool {
    let status = &object["status"];
    let annotation = |name: &str| &object["metadata"]["annotations"][name];
    let reset = annotation("reconcile.fluxcd.io/resetAt");
    let asked = reset.is_string()
        && *reset == *annotation("reconcile.fluxcd.io/requestedAt")
        && *reset != status["lastHandledResetAt"];
    asked
        || status["lastAttemptedGeneration"] != object["metadata"]["generation"]
        || status["lastAttemptedRevision"] != desired.version
        || status["lastAttemptedConfigDigest"] != desired.config_digest
}
