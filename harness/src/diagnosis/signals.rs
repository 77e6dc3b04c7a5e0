//! For each code: the write that completes its evidence, and the grace that its detector may take.
//!
//! This is the harness's own reading of the contract; it shares nothing with the appliance's detectors. A grace is what a
//! recording of a real cluster shows to pass by itself on a good path; more than the ceiling it may never become.

use std::time::Duration;

use serde_json::Value;

use super::objects::{
    condition, has_failed, is, lacks_replicas, runs_unready, says, waits, was_ready, was_restarted,
};

/// Kinds of objects whose writes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is a kind of Kubernetes or Flux by its own name")]
pub enum Kind {
    Pod,
    Job,
    Event,
    Node,
    PersistentVolumeClaim,
    Secret,
    ConfigMap,
    Service,
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

/// A row of the table: one of the ways in which the API tells a code.
#[derive(Debug)]
pub struct Signal {
    /// The blocker's code.
    pub code: &'static str,
    /// What stands there then.
    pub when: &'static str,
    /// Where its time begins.
    pub begins: Begins,
    /// How long it may be held back although the evidence is complete.
    pub grace: Duration,
    /// What passes by itself in that time, and the recording or page that shows it.
    pub because: &'static str,
}

/// No grace is longer: whoever installs does not wait minutes for bad news.
#[cfg(test)]
const CEILING: Duration = Duration::from_secs(120);

const AT_ONCE: &str = "nothing passes by itself: the text or the condition is certain";
const PULL: &[&str] = &["ErrImagePull", "ImagePullBackOff"];

const fn row(
    code: &'static str,
    when: &'static str,
    grace: u64,
    because: &'static str,
    begins: Begins,
) -> Signal {
    Signal { code, when, begins, grace: Duration::from_secs(grace), because }
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

const SUBPATH: &str = "the kubelet cannot make the directory of a volume";
const HAS_FAILED: &str = "a container has failed, and its pod is not ready";
const LOOKUPS: &[Kind] =
    &[Kind::Pod, Kind::Event, Kind::Job, Kind::OciRepository, Kind::Kustomization, Kind::HelmRelease];
/// The kubelet says in an event what it writes into the status a moment later.
const PULLS: &[Kind] = &[Kind::Pod, Kind::Event];

/// Every code whose time can be told, in the contract's order; `host` has no API to write to.
pub static SIGNALS: &[Signal] = &[
    row(
        "dns",
        "a status names a lookup that failed, or a job failed over one",
        5,
        "a resolver that starts anew refuses single lookups: b-dns-refused, j-coredns-gone",
        any(LOOKUPS, is_lookup),
    ),
    row(
        "dns",
        "cluster DNS has no replica",
        60,
        "a rollout, and a CoreDNS that is away while lookups go on: flux 21",
        any(&[Kind::Deployment], |it| it["metadata"]["name"] == "coredns" && has_none(it)),
    ),
    row("postgres-storage", SUBPATH, 0, AT_ONCE, pod(is_subpath)),
    row("storage-init", SUBPATH, 0, AT_ONCE, pod(is_subpath)),
    row(
        "image-not-found",
        "a container waits for an image that is not there",
        0,
        AT_ONCE,
        own(PULLS, |it| waits(it, PULL, &is_not_found) || pulls(it, &is_not_found)),
    ),
    row(
        "image-registry",
        "a pull is refused",
        5,
        "one refused request between two tries: c-registry-500, c-registry-down",
        own(PULLS, |it| waits(it, PULL, &is_refusal) || pulls(it, &is_refusal)),
    ),
    row(
        "image-registry",
        "a chart or the source is refused",
        20,
        "a source asks again after 1.2, 2.9, 6.0, 12.3 s: flux 10",
        own(&[Kind::OciRepository, Kind::HelmRelease], is_refused),
    ),
    row(
        "image-pull-interrupted",
        "a pull broke off",
        0,
        AT_ONCE,
        own(PULLS, |it| waits(it, PULL, &is_cut) || pulls(it, &is_cut)),
    ),
    row(
        "bootstrap-failed",
        "the job has failed",
        0,
        AT_ONCE,
        any(&[Kind::Job], |it| is(it, "Failed", "True")),
    ),
    row(
        "bootstrap-missing",
        "the application waits for bootstrap",
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
        "a program or a release says that it is refused, or has failed",
        0,
        AT_ONCE,
        any(&[Kind::HelmRelease, Kind::Pod, Kind::Job], |it| {
            let refused = |text: &str| {
                text.contains("Refusing to generate") || text.contains("password authentication failed")
            };
            fails(it) || is(it, "Failed", "True") || says(&it["status"], &refused)
        }),
    ),
    row("temporal-schema", HAS_FAILED, 0, AT_ONCE, pod(fails)),
    row("service-link", HAS_FAILED, 0, AT_ONCE, pod(fails)),
    row(
        "config-missing",
        "a container waits for its configuration",
        10,
        "an object that is created after its pod: a-healthy, h-config-errors",
        pod(|it| waits(it, &["CreateContainerConfigError"], &|_| true)),
    ),
    row("volume-full", HAS_FAILED, 0, AT_ONCE, pod(fails)),
    row(
        "scheduling",
        "a pod finds no node",
        20,
        "a claim that is bound, a node that joins: g-unschedulable",
        any(&[Kind::Pod], |it| {
            condition(it, "PodScheduled")
                .is_some_and(|at| at["status"] == "False" && at["reason"] == "Unschedulable")
        }),
    ),
    row(
        "storage-class",
        "a claim is not bound",
        15,
        "a volume that is provisioned: WaitForFirstConsumer, ExternalProvisioning in a-healthy",
        any(&[Kind::PersistentVolumeClaim], |it| {
            it["metadata"]["namespace"] == "msp" && it["status"]["phase"] != "Bound"
        }),
    ),
    row(
        "storage-class",
        "there is a second provisioner",
        15,
        "a volume that is provisioned: a-healthy",
        any(&[Kind::Deployment], |it| {
            let meta = &it["metadata"];
            meta["name"] == "local-path-provisioner" && meta["namespace"] != "local-path-storage"
        }),
    ),
    row(
        "storage-class",
        "a class was changed",
        60,
        "a provisioner that rolls out: a-healthy",
        any(&[Kind::StorageClass], |_| true),
    ),
    row(
        "node",
        "a node is not Ready",
        10,
        "a kubelet that starts anew: i-node-notready",
        any(&[Kind::Node], |it| !is(it, "Ready", "True")),
    ),
    row(
        "kubernetes",
        "the API says nothing",
        25,
        "an API server that starts anew refuses, resets and forbids for 14 s: i-apiserver-down; leases come every 10 s, so that \
         one that hangs is noticed 5 s later",
        Begins::Fault,
    ),
    row(
        "source",
        "a source or a tier fails",
        20,
        "SourceNotReady and ArtifactFailed for a second on a good path: flux",
        any(&[Kind::OciRepository, Kind::Kustomization], |it| {
            let waits = |at: &Value| at["reason"] == "DependencyNotReady";
            condition(it, "Ready").is_some_and(|at| at["status"] == "False" && !waits(at))
        }),
    ),
    row(
        "source",
        "it was told to stand still",
        60,
        "what people do while they work on it: flux 16",
        any(&[Kind::OciRepository, Kind::Kustomization, Kind::HelmRelease], |it| {
            it["spec"]["suspend"] == true
        }),
    ),
    row(
        "helm-storage",
        "a release says that its record is in use",
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
        "a release has failed",
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
        "a release was deleted",
        30,
        "a Kustomization that is applied: flux",
        Begins::Gone { kinds: &[Kind::HelmRelease] },
    ),
    row(
        "release-drift",
        "an image was set by hand",
        40,
        "a release whose upgrade is under way: flux",
        Begins::Fault,
    ),
    row(
        "login-probe",
        "the application is ready",
        30,
        "an app that is ready before its first page: h-readiness; the page is asked for every 10 s",
        own(&[Kind::Deployment], |it| !lacks_replicas(it)),
    ),
    row("workload", TWICE, 15, RESTARTS, CRASHED),
    row("workload", THRICE, 5, LAGS, CRASHES),
    row("workload", NONE, 60, ROLLS_OUT, NO_REPLICA),
    row("workload", NEVER_READY, 120, SLOW_START, STARTING),
    row("workload", NO_LONGER_READY, 30, LOSES, LOST),
    row("workload", ASTRAY, 30, APPLIED, LEADS_AWAY),
    row("background-workload", TWICE, 15, RESTARTS, CRASHED),
    row("background-workload", THRICE, 0, AT_ONCE, CRASHES),
    row("background-workload", NONE, 60, ROLLS_OUT, NO_REPLICA),
    row("background-workload", NEVER_READY, 120, SLOW_START, STARTING),
    row("background-workload", NO_LONGER_READY, 30, LOSES, LOST),
    row("background-workload", ASTRAY, 30, APPLIED, LEADS_AWAY),
];

const TWICE: &str = "a container cannot be started, or runs for the third time and is not ready";
const RESTARTS: &str =
    "a program that finds what it needs at its third start, 10 s after its second end: h-crashes";
const CRASHED: Begins =
    pod(|it| waits(it, &["RunContainerError", "CreateContainerError"], &|_| true) || was_restarted(it));
const THRICE: &str = "a container has ended three times and waits";
const LAGS: &str = "a status that is older than the next start, 20 s after the third end: h-crashes";
const CRASHES: Begins =
    pod(|it| was_restarted(it) && waits(it, &["CrashLoopBackOff"], &|said| !said.contains("back-off 10s ")));
const NONE: &str = "a workload is kept at no replica, or its controller makes none";
const ROLLS_OUT: &str = "a controller that makes the next pod: f-jobs, a-healthy";
const NO_REPLICA: Begins =
    own(&[Kind::Deployment, Kind::StatefulSet], |it| it["status"]["replicas"].as_u64().unwrap_or(0) == 0);
const NEVER_READY: &str = "a container runs and was never ready";
const SLOW_START: &str = "a program fails its readiness probe until it listens: h-readiness";
const STARTING: Begins = pod(|it| is_service(it) && runs_unready(it) && !was_ready(it));
const NO_LONGER_READY: &str = "a container runs and is not ready any more";
const LOSES: &str = "what it needs starts anew: j-coredns-gone";
const LOST: Begins = pod(|it| runs_unready(it) && was_ready(it));

const ASTRAY: &str = "a Service selects pods of another name than its own";
const APPLIED: &str =
    "Helm applies the objects of a release within seconds, in no promised order: flux a-healthy";
const LEADS_AWAY: Begins = own(&[Kind::Service], leads_away);

/// The rows of a code.
pub fn signals(code: &str) -> impl Iterator<Item = &'static Signal> {
    SIGNALS.iter().filter(move |signal| signal.code == code)
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

/// A container has failed and nothing of its pod takes requests.
fn fails(pod: &Value) -> bool {
    has_failed(pod) && !is(pod, "Ready", "True")
}

/// A workload without any ready replica.
fn has_none(workload: &Value) -> bool {
    workload["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0
}

/// A Service whose selector names a component after which it is not called.
fn leads_away(service: &Value) -> bool {
    let name = service["metadata"]["name"].as_str().unwrap_or_default();
    let selected = service["spec"]["selector"]["app.kubernetes.io/name"].as_str();
    selected.is_some_and(|selected| !name.starts_with(selected))
}

/// Not a pod of a job.
fn is_service(pod: &Value) -> bool {
    pod["metadata"]["ownerReferences"][0]["kind"] != "Job"
}

/// An event says that a pull failed, with a message that fits.
fn pulls(event: &Value, fits: &dyn Fn(&str) -> bool) -> bool {
    let message = event["message"].as_str().unwrap_or_default();
    event["reason"] == "Failed" && message.starts_with("Failed to pull image") && fits(message)
}

fn is_lookup(object: &Value) -> bool {
    const TROUBLES: [&str; 4] = ["connection refused", "no such host", "server misbehaving", "i/o timeout"];
    let fits = |text: &str| text.contains("lookup ") && TROUBLES.iter().any(|trouble| text.contains(trouble));
    says(&object["status"], &fits) || pulls(object, &fits) || is(object, "Failed", "True")
}

fn is_subpath(pod: &Value) -> bool {
    let fits = |text: &str| {
        text.contains("failed to create subPath directory") || text.contains("failed to prepare subPath")
    };
    says(&pod["status"], &fits)
}

/// What a registry says that answers and refuses, or does not answer.
fn is_refusal(text: &str) -> bool {
    !(text.is_empty() || is_not_found(text) || is_cut(text) || text.contains("lookup "))
}

/// A chart or the source is refused.
fn is_refused(object: &Value) -> bool {
    let flux = |kind: &str| {
        condition(object, kind).is_some_and(|at| {
            const REGISTRY: [&str; 4] = ["/v2/", "response status code", "x509", "connection refused"];
            let said = at["message"].as_str().unwrap_or_default();
            at["status"] != "True" && is_refusal(said) && REGISTRY.iter().any(|sign| said.contains(sign))
        })
    };
    flux("Ready") || flux("FetchFailed")
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
        let missing: Vec<&str> =
            code_names().into_iter().filter(|code| signals(code).next().is_none()).collect();
        assert_eq!(missing, ["host"]);
    }

    #[test]
    fn no_grace_is_above_its_ceiling_and_each_has_a_reason() {
        for signal in SIGNALS {
            assert!(signal.grace <= CEILING, "{}: {:?}", signal.code, signal.grace);
            assert!(!signal.when.is_empty(), "{}", signal.code);
            assert_eq!(signal.grace.is_zero(), signal.because == AT_ONCE, "{}", signal.code);
        }
    }
}
