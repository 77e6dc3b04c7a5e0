//! What a HelmRelease says about installing, upgrading and failing.

use std::time::Duration;

use cluster_api::object;
use serde_json::Value;

use super::engine::{Crds, Hooks, Namespace, Settings, Waiting};
use crate::duration;
use crate::wait::Jobs;

/// What Helm is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Install,
    Upgrade,
    Rollback,
    Uninstall,
    Test,
    CorrectDrift,
    Unlock,
}

impl Action {
    /// As in `Running 'install' action` and in the fields of the spec.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Uninstall => "uninstall",
            Self::Test => "test",
            Self::CorrectDrift => "correct cluster drift",
            Self::Unlock => "unlock",
        }
    }

    /// The status counter of its failures.
    pub(super) fn failures(self) -> &'static str {
        if self == Self::Install { "installFailures" } else { "upgradeFailures" }
    }
}

/// How a failure is made good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    Uninstall,
    Rollback,
    /// The release stays, and the action is repeated as an upgrade after a while.
    Upgrade(Duration),
}

/// The release's name, its namespace and that of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) release: String,
    pub(super) namespace: String,
    pub(super) storage: String,
}

impl Names {
    pub(super) fn of(object: &Value) -> Self {
        let spec = &object["spec"];
        let own = object::namespace(object);
        let target = spec["targetNamespace"].as_str();
        let release = match (spec["releaseName"].as_str(), target) {
            (Some(name), _) => name.to_owned(),
            (None, Some(target)) => format!("{target}-{}", object::name(object)),
            (None, None) => object::name(object).to_owned(),
        };
        Self {
            release,
            namespace: target.unwrap_or(own).to_owned(),
            storage: spec["storageNamespace"].as_str().unwrap_or(own).to_owned(),
        }
    }
}

/// How long an action may take.
pub(super) fn timeout(object: &Value, action: Action) -> Duration {
    duration::field(&object["spec"][action.word()]["timeout"])
        .or_else(|| duration::field(&object["spec"]["timeout"]))
        .unwrap_or(Duration::from_secs(300))
}

/// How an action waits for what it made.
fn waiting(object: &Value, action: Action) -> Waiting {
    let options = &object["spec"][action.word()];
    let jobs = if options["disableWaitForJobs"] == true { Jobs::Ignore } else { Jobs::Wait };
    if options["disableWait"] == true {
        return Waiting::Not;
    }
    if object["spec"]["waitStrategy"]["name"] == "legacy" {
        Waiting::Legacy(jobs)
    } else {
        Waiting::Watch(jobs)
    }
}

/// How Helm is to do an action.
pub(super) fn settings(object: &Value, action: Action) -> Settings {
    let options = &object["spec"][action.word()];
    Settings {
        timeout: timeout(object, action),
        waiting: waiting(object, action),
        hooks: if options["disableHooks"] == true { Hooks::Skip } else { Hooks::Run },
        crds: if options["crds"] == "Skip" { Crds::Skip } else { Crds::Create },
        namespace: if options["createNamespace"] == true { Namespace::Create } else { Namespace::Expect },
    }
}

/// Whether the release's tests run, and whether their failure matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tests {
    Off,
    Ignored,
    Matter,
}

impl Tests {
    pub(super) fn of(object: &Value) -> Self {
        let test = &object["spec"]["test"];
        match (test["enable"] == true, test["ignoreFailures"] == true) {
            (false, _) => Self::Off,
            (true, true) => Self::Ignored,
            (true, false) => Self::Matter,
        }
    }
}

/// What is done about objects that are not as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drift {
    Ignored,
    Warned,
    Corrected,
}

impl Drift {
    pub(super) fn of(object: &Value) -> Self {
        match object["spec"]["driftDetection"]["mode"].as_str() {
            Some("enabled") => Self::Corrected,
            Some("warn") => Self::Warned,
            _ => Self::Ignored,
        }
    }
}

/// How the failure of an action is made good.
pub(super) fn remedy(object: &Value, action: Action) -> Remedy {
    let options = &object["spec"][action.word()];
    if options["strategy"]["name"] == "RetryOnFailure" {
        let pause =
            duration::field(&options["strategy"]["retryInterval"]).unwrap_or(Duration::from_secs(300));
        return Remedy::Upgrade(pause);
    }
    if action == Action::Install || options["remediation"]["strategy"] == "uninstall" {
        Remedy::Uninstall
    } else {
        Remedy::Rollback
    }
}

fn retries(object: &Value, action: Action) -> i64 {
    object["spec"][action.word()]["remediation"]["retries"].as_i64().unwrap_or(0)
}

pub(super) fn failures(object: &Value, action: Action) -> i64 {
    object["status"][action.failures()].as_i64().unwrap_or(0)
}

/// Whether an action has failed more often than it may be repeated.
pub(super) fn is_exhausted(object: &Value, action: Action) -> bool {
    let retries = retries(object, action);
    retries >= 0 && failures(object, action) > retries
}

/// Whether also the last failure is made good.
pub(super) fn remedies_last(object: &Value, action: Action) -> bool {
    let given = object["spec"][action.word()]["remediation"]["remediateLastFailure"].as_bool();
    given.unwrap_or(action == Action::Upgrade && retries(object, action) > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_namespace_is_part_of_the_name_unless_a_name_is_given() {
        let mut object =
            json!({"metadata": {"name": "app", "namespace": "own"}, "spec": {"targetNamespace": "msp"}});
        assert_eq!(Names::of(&object).release, "msp-app");
        object["spec"]["releaseName"] = json!("app");
        let names = Names::of(&object);
        assert_eq!(
            (names.release.as_str(), names.namespace.as_str(), names.storage.as_str()),
            ("app", "msp", "own")
        );
    }

    #[test]
    fn retries_are_repetitions_and_minus_one_is_for_ever() {
        let object = |retries: i64, failures: i64| json!({"spec": {"install": {"remediation": {"retries": retries}}}, "status": {"installFailures": failures}});
        assert!(is_exhausted(&object(0, 1), Action::Install));
        assert!(!is_exhausted(&object(1, 1), Action::Install));
        assert!(is_exhausted(&object(1, 2), Action::Install));
        assert!(!is_exhausted(&object(-1, 99), Action::Install));
    }
}
