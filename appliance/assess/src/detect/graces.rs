//! How long each kind of evidence must stand before it counts, and why no shorter.
//!
//! A second of trouble is no trouble: healthy installs are full of them. Each grace names the fact, from a recording of a
//! real cluster, that a shorter one would take for a failure.

/// How long evidence must stand before it counts.
#[derive(Debug, PartialEq, Eq)]
pub struct Grace {
    /// When it is for.
    pub when: &'static str,
    /// Seconds.
    pub seconds: i64,
    /// The recorded fact that a shorter one would take for a failure; empty where nothing is waited for.
    pub why: &'static str,
}

/// No grace is longer: whoever installs does not wait minutes for bad news.
pub const CEILING: i64 = 120;

const fn grace(when: &'static str, seconds: i64, why: &'static str) -> Grace {
    Grace { when, seconds, why }
}

/// What stands is certain.
pub(super) const CERTAIN: Grace = grace("always", 0, "");
pub(super) const SILENT_API: Grace = grace(
    "the API is silent",
    20,
    "i-apiserver-down: an API server that restarts is away for 14 s, the last two of them with 403 for everybody",
);
pub(super) const LOOKUP: Grace = grace(
    "a lookup fails",
    5,
    "b-dns-refused: a pull asks again after 10 s; flux 3: a source that a moment ago could not be fetched says so for milliseconds",
);
pub(super) const CLUSTER_DNS: Grace = grace(
    "cluster DNS has no replica",
    60,
    "flux 21: lookups outlast a CoreDNS that is away for 10 to 70 s; a rollout is shorter",
);
pub(super) const NODE: Grace = grace(
    "a node is not Ready",
    10,
    "i-node-notready: the condition turns only after 47 s of silence, and back at the kubelet's first report",
);
pub(super) const CLAIM: Grace =
    grace("a claim is Pending", 15, "d-subpath: a claim is made and bound within 4.9 s, helper pod included");
pub(super) const PROVISIONER: Grace = grace(
    "the provisioner does not run, or made no volume",
    60,
    "g-unschedulable: a provisioner that failed tries again after 15 to 45 s",
);
pub(super) const UNCLAIMED: Grace = grace(
    "storage is gone and nothing claims any",
    60,
    "a-healthy: a Deployment that rolls out has no ready pod for seconds, and nobody waits for this one",
);
pub(super) const UNSCHEDULABLE: Grace = grace(
    "a pod finds no node",
    20,
    "i-node-notready: a node that comes back keeps its taints for seconds; g-unschedulable: claims are bound within 5 s",
);
pub(super) const CORDONED: Grace = grace(
    "a node is cordoned",
    60,
    "kubectl drain cordons first: somebody may be at work for as long as a reboot takes",
);
pub(super) const LOST_CLAIM: Grace = grace(
    "a claim is missing or Lost",
    30,
    "flux a-healthy: Helm applies the objects of a release within seconds, in no promised order, and waits poll every 5 s",
);
pub(super) const CONFIGURATION: Grace = grace(
    "an object or key is missing",
    10,
    "a-healthy: FailedMount «failed to sync configmap cache» on the good path; h-config-errors: the kubelet looks again every 10 to 15 s",
);
pub(super) const LOOKED_FOR: Grace = grace(
    "a Secret is not there",
    20,
    "flux a-healthy: a release is applied within seconds; presence is asked for at each beat of 10 s",
);
pub(super) const VALUES: Grace = grace(
    "the values of a release are not there",
    30,
    "flux d-values-missing: values that come late are taken at the next retry, after 2, 3, 5, 8, 14, 26 s",
);
pub(super) const DRIFT: Grace = grace(
    "a workload runs another image",
    40,
    "flux d-trivial: dependencies are looked at every 30 s, and an upgrade changes the workload some seconds after that (8 s on a \
     real cluster under load, where the releases of the background came 30.6 s after their values)",
);
pub(super) const REGISTRY: Grace = grace(
    "the registry does not serve a pull",
    5,
    "c-registry-500: a pull asks again after 10 s; one answer of 500 among good ones is gone by then",
);
pub(super) const ARTIFACT: Grace = grace(
    "the registry does not serve a chart or the source",
    20,
    "flux 10: a source asks again after 1.2, 2.9, 6.0, 12.3 s",
);
pub(super) const LOG_COMING: Grace = grace(
    "the log of the job is not read yet",
    10,
    "f-jobs: the condition comes up to 4 s before the pod has gone",
);
pub(super) const HANGS: Grace = grace(
    "the job has run for longer than it waits for anything",
    120,
    "contract, 6: the job itself waits up to 300 s for its database; what comes after says something within two minutes",
);
pub(super) const NO_USERS: Grace =
    grace("bootstrap left no users", 10, "f-jobs: result and condition of a job are seconds apart");
pub(super) const NO_JOB: Grace = grace(
    "no bootstrap job exists",
    120,
    "flux 9: each tier and each dependency costs up to 30 s after its predecessor; a new revision comes up to 101 s later",
);
pub(super) const WAITS_ON: Grace = grace(
    "the application waits although bootstrap has finished",
    30,
    "contract, 6: it asks every two seconds; f-jobs: a job's condition and what it did are seconds apart",
);
pub(super) const CRASH: Grace = grace(
    "a container has crashed twice",
    15,
    "h-crashes: the first restart comes at once, the second after 10 s; one that then runs is well",
);
pub(super) const CRASHES_ON: Grace = grace(
    "a container has crashed three times",
    5,
    "h-crashes: from the third end on the kubelet waits for 20 s and more; a status that is older than the next start is gone by then",
);
pub(super) const STARTING: Grace = grace(
    "a container runs and was never ready",
    120,
    "h-readiness: a slow program fails its readiness probe on the good path until it listens",
);
pub(super) const WAITS: Grace = grace(
    "a container runs and is not ready, and neither is what it needs",
    120,
    "h-readiness: a pod has 30 s to end before its successor comes, and what needs it comes back last; the cause is told of what it needs",
);
pub(super) const LOST_READINESS: Grace = grace(
    "a container runs and is not ready any more",
    30,
    "j-coredns-gone: readiness follows what a program needs; a dependency that restarts is back after 10 to 20 s",
);
pub(super) const GIVEN_UP: Grace =
    grace("its release gave up on it", 10, "flux 4: a release that stalled does not look again by itself");
pub(super) const ASLEEP: Grace = grace("a worker says that it sleeps", 0, "");
pub(super) const DELETED: Grace = grace(
    "an installed object does not exist",
    30,
    "flux d-drift: what is deleted by hand is made again at the next reconciliation, which may be at work already",
);
pub(super) const SCALED_DOWN: Grace = grace(
    "a workload is kept at no replica",
    30,
    "a-healthy: Recreate takes the old pod away before the new one comes",
);
pub(super) const NO_POD: Grace = grace(
    "a controller makes no pod",
    60,
    "f-jobs: the second pod of a job is made 10 s after the first has ended, later ones 20, 40 s",
);
pub(super) const ASTRAY: Grace = grace(
    "a Service leads to none of its pods",
    30,
    "flux a-healthy: Helm applies the objects of a release within seconds, in no promised order, and pods come after them",
);
pub(super) const GOING: Grace = grace(
    "the pod before takes its time to go",
    120,
    "h-readiness: a pod has 30 s to end, and a kubelet that was away 47 s more",
);
pub(super) const FLUX: Grace = grace(
    "a Flux object fails",
    20,
    "flux 2, 3: every good install shows SourceNotReady and ArtifactFailed for a second; retries come after 1.2, 2.9, 6.0, 12.3 s",
);
pub(super) const UNHEALTHY: Grace = grace(
    "a Kustomization without releases is unhealthy",
    60,
    "flux c-health-timeout: its next attempt comes after the retry interval of 1m",
);
pub(super) const MENDED_TIER: Grace = grace(
    "a Kustomization failed over what is well again",
    120,
    "flux 8: it says so only at its next attempt: retry interval 1m, and up to 30 s for each dependency",
);
pub(super) const MENDED_RELEASE: Grace = grace(
    "a release failed over what is well again",
    60,
    "flux 4: a stalled release stays so until it is asked; the command that repaired its cause may be about to",
);
pub(super) const MISSED: Grace = grace(
    "a Flux object that was there is gone, or stands still",
    60,
    "flux 16: suspension is what people do while they work; what the root applies comes back at its next attempt after 1m",
);
pub(super) const BEHIND: Grace = grace(
    "the source is behind the selection",
    60,
    "flux 10: a source that failed asks again after 12.3 s, doubling; a new selection is fetched within that",
);
pub(super) const STUCK: Grace = grace(
    "the record of a release is stuck",
    60,
    "flux 13, 22: pending records are unlocked by the controller's successor, after 2, 17 and 38 s",
);
pub(super) const ABSENT_RELEASE: Grace = grace(
    "a HelmRelease does not exist",
    30,
    "flux 8: a Kustomization is Ready some seconds after it has applied its objects",
);
pub(super) const PAGE: Grace = grace(
    "the login page does not let people in",
    20,
    "h-readiness: between two readiness probes, 10 s apart, a program may be ready by its status and away by its port",
);

#[cfg(test)]
mod tests {
    use super::CEILING;
    use crate::DETECTORS;

    #[test]
    fn every_grace_has_a_reason_and_none_is_above_the_ceiling() {
        for detector in DETECTORS {
            assert!(!detector.graces.is_empty(), "{}", detector.code);
            for grace in detector.graces {
                let place = format!("{}: {}", detector.code, grace.when);
                assert!((0..=CEILING).contains(&grace.seconds), "{place}");
                assert_eq!(grace.seconds > 0, !grace.why.is_empty(), "{place}");
                assert!(!grace.when.is_empty(), "{place}");
            }
        }
    }
}
