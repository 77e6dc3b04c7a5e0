//! For each code: the write that completes its evidence, and the grace that its detector may take.
//!
//! This is the harness's own reading of the contract; it shares nothing with the appliance's detectors. A grace is what a
//! recording of a real cluster shows to pass by itself on a good path; more than the ceiling it may never become.

use std::time::Duration;

use serde_json::Value;

use super::objects::{condition, has_failed, is, lacks_replicas, runs_unready, says, waits};

/// Kinds of objects whose writes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is a kind of Kubernetes or Flux by its own name")]
pub enum Kind {
    Pod,
    Job,
    Node,
    PersistentVolumeClaim,
    Secret,
    ConfigMap,
    Deployment,
    StatefulSet,
    StorageClass,
    HelmRelease,
    Kustomization,
    OciRepository,
}

/// Where the time begins.
#[derive(Debug, Clone, Copy)]
pub enum Begins {
    /// With the first write of such an object that shows the signal, and whether it must be the component's own.
    Write {
        /// Whose writes.
        kinds: &'static [Kind],
        /// Whether an object shows it.
        shows: fn(&Value) -> bool,
        /// Whether it must be the component's own object.
        own: Own,
    },
    /// With an object's deletion, or the first write that shows the signal.
    Gone {
        /// Whose deletions.
        kinds: &'static [Kind],
    },
    /// With the fault: the evidence is not an object's.
    Fault,
}

/// Whose object it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// The component's.
    Component,
    /// Anybody's.
    Anybody,
}

/// A row of the table.
#[derive(Debug)]
pub struct Signal {
    /// The blocker's code.
    pub code: &'static str,
    /// Where its time begins.
    pub begins: Begins,
    /// How long it may be held back although the evidence is complete.
    pub grace: Duration,
    /// What passes by itself in that time, and the recording or page that shows it.
    pub because: &'static str,
}

/// No grace is longer, except where the contract itself gives one.
#[cfg(test)]
const CEILING: Duration = Duration::from_secs(60);
/// The app waits for its job for so long that a slow reconcile may still bring it.
#[cfg(test)]
const BOOTSTRAP_CEILING: Duration = Duration::from_secs(120);

const AT_ONCE: &str = "nothing passes by itself: the text or the condition is certain";
const PULL: &[&str] = &["ErrImagePull", "ImagePullBackOff"];

const fn row(code: &'static str, grace: u64, because: &'static str, begins: Begins) -> Signal {
    Signal { code, begins, grace: Duration::from_secs(grace), because }
}

const fn pod(shows: fn(&Value) -> bool) -> Begins {
    Begins::Write { kinds: &[Kind::Pod], shows, own: Own::Component }
}

const fn any(kinds: &'static [Kind], shows: fn(&Value) -> bool) -> Begins {
    Begins::Write { kinds, shows, own: Own::Anybody }
}

const fn own(kinds: &'static [Kind], shows: fn(&Value) -> bool) -> Begins {
    Begins::Write { kinds, shows, own: Own::Component }
}

const WORKLOAD: Begins = pod(|it| has_failed(it) || runs_unready(it));
const UNREADY: &str = "probes and restarts of a good start: h-readiness, a-healthy";

/// Every code whose time can be told, in the contract's order; `host` has no API to write to.
pub static SIGNALS: &[Signal] = &[
    row(
        "dns",
        5,
        "a resolver that starts anew refuses single lookups: b-dns-refused, j-coredns-gone",
        any(
            &[
                Kind::Pod,
                Kind::Job,
                Kind::OciRepository,
                Kind::Kustomization,
                Kind::HelmRelease,
                Kind::Deployment,
            ],
            |it| if it["metadata"]["name"] == "coredns" { lacks_replicas(it) } else { is_lookup(it) },
        ),
    ),
    row("postgres-storage", 0, AT_ONCE, pod(is_subpath)),
    row("storage-init", 0, AT_ONCE, pod(is_subpath)),
    row("image-not-found", 0, AT_ONCE, pod(|it| waits(it, PULL, &is_not_found))),
    row(
        "image-registry",
        5,
        "one refused request between two tries: c-registry-500, c-registry-down",
        own(&[Kind::Pod, Kind::OciRepository, Kind::HelmRelease], is_refused),
    ),
    row("image-pull-interrupted", 0, AT_ONCE, pod(|it| waits(it, PULL, &is_cut))),
    row("bootstrap-failed", 0, AT_ONCE, any(&[Kind::Job], |it| is(it, "Failed", "True"))),
    row(
        "bootstrap-missing",
        120,
        "the job comes with the release's next reconcile: contract, its grace",
        pod(|it| {
            it["status"]["initContainerStatuses"].as_array().is_some_and(|all| {
                all.iter().any(|status| {
                    status["name"] == "wait-for-bootstrap" && status["state"]["running"].is_object()
                })
            })
        }),
    ),
    row(
        "credentials",
        0,
        AT_ONCE,
        any(&[Kind::HelmRelease, Kind::Pod, Kind::Job], |it| {
            let refused = |text: &str| {
                text.contains("Refusing to generate") || text.contains("password authentication failed")
            };
            has_failed(it) || is(it, "Failed", "True") || says(&it["status"], &refused)
        }),
    ),
    row("temporal-schema", 0, AT_ONCE, pod(has_failed)),
    row("service-link", 0, AT_ONCE, pod(has_failed)),
    row(
        "config-missing",
        10,
        "an object that is created after its pod: a-healthy, h-config-errors",
        pod(|it| waits(it, &["CreateContainerConfigError"], &|_| true)),
    ),
    row("volume-full", 0, AT_ONCE, pod(has_failed)),
    row(
        "scheduling",
        20,
        "a claim that is bound, a node that joins: g-unschedulable",
        any(&[Kind::Pod], |it| {
            condition(it, "PodScheduled")
                .is_some_and(|at| at["status"] == "False" && at["reason"] == "Unschedulable")
        }),
    ),
    row(
        "storage-class",
        15,
        "a volume that is provisioned: WaitForFirstConsumer, ExternalProvisioning in a-healthy",
        any(&[Kind::PersistentVolumeClaim, Kind::StorageClass], |it| {
            it["kind"] != "PersistentVolumeClaim" || it["status"]["phase"] != "Bound"
        }),
    ),
    row(
        "node",
        10,
        "a kubelet that starts anew: i-node-notready",
        any(&[Kind::Node], |it| !is(it, "Ready", "True")),
    ),
    row(
        "kubernetes",
        20,
        "an API server that starts anew refuses, resets and forbids for seconds: i-apiserver-down",
        Begins::Fault,
    ),
    row(
        "source",
        20,
        "SourceNotReady and ArtifactFailed for a second on a good path: flux",
        any(&[Kind::OciRepository, Kind::Kustomization], |it| {
            is(it, "Ready", "False") || it["spec"]["suspend"] == true
        }),
    ),
    row(
        "helm-storage",
        60,
        "an operation of another controller that ends by itself: flux",
        own(&[Kind::HelmRelease], |it| {
            const RECORDS: [&str; 3] =
                ["another operation", "has no deployed releases", "release: already exists"];
            says(&it["status"], &|text| RECORDS.iter().any(|record| text.contains(record)))
        }),
    ),
    row(
        "helm",
        20,
        "a dependency that becomes ready: flux",
        own(&[Kind::HelmRelease], |it| {
            let waits = ["DependencyNotReady", "SourceNotReady", "Progressing", "ArtifactFailed"];
            let failed = condition(it, "Ready").is_some_and(|at| {
                at["status"] == "False" && !waits.iter().any(|reason| at["reason"] == *reason)
            });
            failed || is(it, "Stalled", "True")
        }),
    ),
    row(
        "release-missing",
        30,
        "a Kustomization that is applied: flux",
        Begins::Gone { kinds: &[Kind::HelmRelease] },
    ),
    row("release-drift", 30, "a release whose upgrade is under way: flux", Begins::Fault),
    row(
        "login-probe",
        20,
        "an app that is ready before its first page: h-readiness",
        own(&[Kind::Deployment], |it| !lacks_replicas(it)),
    ),
    row("workload", 10, UNREADY, WORKLOAD),
    row("background-workload", 10, UNREADY, WORKLOAD),
];

/// The row of a code.
pub fn signal(code: &str) -> Option<&'static Signal> {
    SIGNALS.iter().find(|signal| signal.code == code)
}

impl Begins {
    /// The kinds whose writes it looks at.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Write { kinds, .. } | Self::Gone { kinds } => kinds,
            Self::Fault => &[],
        }
    }
}

fn is_lookup(object: &Value) -> bool {
    const TROUBLES: [&str; 4] = ["connection refused", "no such host", "server misbehaving", "i/o timeout"];
    let fits = |text: &str| text.contains("lookup ") && TROUBLES.iter().any(|trouble| text.contains(trouble));
    says(&object["status"], &fits) || is(object, "Failed", "True")
}

fn is_subpath(pod: &Value) -> bool {
    let fits = |text: &str| {
        text.contains("failed to create subPath directory") || text.contains("failed to prepare subPath")
    };
    says(&pod["status"], &fits)
}

/// A registry that answers and refuses, or does not answer.
fn is_refused(object: &Value) -> bool {
    let other = |text: &str| is_not_found(text) || is_cut(text) || text.contains("lookup ");
    let refused = |text: &str| !text.is_empty() && !other(text);
    let flux = |kind: &str| {
        condition(object, kind).is_some_and(|at| {
            const REGISTRY: [&str; 4] = ["/v2/", "response status code", "x509", "connection refused"];
            let said = at["message"].as_str().unwrap_or_default();
            at["status"] != "True" && refused(said) && REGISTRY.iter().any(|sign| said.contains(sign))
        })
    };
    waits(object, PULL, &refused) || flux("Ready") || flux("FetchFailed")
}

fn is_not_found(text: &str) -> bool {
    text.contains("not found") || text.contains("manifest unknown")
}

fn is_cut(text: &str) -> bool {
    ["context canceled", "unexpected EOF", "context deadline exceeded"].iter().any(|cut| text.contains(cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::code_names;

    #[test]
    fn every_code_but_host_has_a_row() {
        let rows: Vec<&str> = SIGNALS.iter().map(|signal| signal.code).collect();
        let missing: Vec<&str> = code_names().into_iter().filter(|code| !rows.contains(code)).collect();
        assert_eq!(missing, ["host"]);
    }

    #[test]
    fn no_grace_is_above_its_ceiling_and_each_has_a_reason() {
        for signal in SIGNALS {
            let ceiling = if signal.code == "bootstrap-missing" { BOOTSTRAP_CEILING } else { CEILING };
            assert!(signal.grace <= ceiling, "{}: {:?}", signal.code, signal.grace);
            assert_eq!(signal.grace.is_zero(), signal.because == AT_ONCE, "{}", signal.code);
        }
    }
}
