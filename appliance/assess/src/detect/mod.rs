//! Every detector is a value in one table.

mod bootstrap;
mod configuration;
mod drift;
mod images;
mod login;
mod logs;
mod platform;
mod reconcile;
mod signals;
mod volumes;
mod workloads;

use appliance_status_model::BlockerCode;
use jiff::Timestamp;

use crate::finding::{Extent, Finding, Subject};
use crate::view::View;

pub(crate) use configuration::importance;
pub use configuration::is_shared;
pub(crate) use drift::drifted;
pub(crate) use reconcile::brings;
pub(crate) use signals::is_dns_trouble;

/// How one kind of cause is found, and what is said about it.
#[derive(Debug)]
pub struct Detector {
    /// What it finds.
    pub code: BlockerCode,
    /// What it looks for, in words for people.
    pub signals: &'static [&'static str],
    /// How old the evidence must be, in seconds, before it counts.
    pub grace: i64,
    /// The next step that helps.
    pub next_action: &'static str,
    /// What else goes wrong because of it.
    pub causes: &'static [BlockerCode],
    /// How the evidence reads.
    pub example: &'static str,
    pub(crate) detect: fn(&View<'_>, &Detector) -> Vec<Finding>,
}

impl Detector {
    /// A finding of this detector.
    fn finding(&self, subject: Subject, reason: impl Into<String>, since: Option<Timestamp>) -> Finding {
        Finding {
            code: self.code,
            identity: String::new(),
            subject,
            reason: reason.into(),
            next_action: self.next_action.to_owned(),
            since,
            grace: self.grace,
            extent: if is_shared(self.code) { Extent::Shared } else { Extent::Own },
        }
    }
}

/// Runs every detector.
pub(crate) fn run(view: &View<'_>) -> Vec<Finding> {
    DETECTORS.iter().flat_map(|detector| (detector.detect)(view, detector)).collect()
}

use BlockerCode as Code;

/// What follows where nothing can be pulled or reached.
const NOTHING_STARTS: &[Code] = &[
    Code::Source,
    Code::Helm,
    Code::HelmStorage,
    Code::ReleaseMissing,
    Code::ImageRegistry,
    Code::ImagePullInterrupted,
    Code::BootstrapMissing,
    Code::Workload,
    Code::BackgroundWorkload,
    Code::LoginProbe,
];

/// What follows where a workload does not come up.
const NOT_READY: &[Code] = &[
    Code::BootstrapMissing,
    Code::BootstrapFailed,
    Code::Workload,
    Code::BackgroundWorkload,
    Code::Helm,
    Code::Source,
    Code::ReleaseMissing,
    Code::LoginProbe,
];

/// All detectors, in causal order.
pub static DETECTORS: &[Detector] = &[
    Detector {
        code: Code::Kubernetes,
        signals: &["no answer from the API for longer than the grace"],
        grace: 0,
        next_action: "Check that the appliance's Kubernetes API is up (talosctl health, or the machine's console), then retry.",
        causes: Code::ALL,
        example: "The Kubernetes API has not answered for 40 s: connection refused",
        detect: platform::kubernetes,
    },
    Detector {
        code: Code::Dns,
        signals: &[
            "lookup … connection refused",
            "lookup … no such host",
            "lookup … server misbehaving",
            "lookup … i/o timeout",
        ],
        grace: 5,
        next_action: "Configure explicit DNS servers (for example 1.1.1.1,8.8.8.8) in bootstrap settings, then retry.",
        causes: NOTHING_STARTS,
        example: "dial tcp: lookup ghcr.io on 10.0.2.3:53: read udp 10.0.2.15:41234->10.0.2.3:53: read: connection refused",
        detect: platform::dns,
    },
    Detector {
        code: Code::Node,
        signals: &["Node condition Ready is not True"],
        grace: 10,
        next_action: "Check the node's kubelet and power; start at the machine's console if it does not answer.",
        causes: &[
            Code::Scheduling,
            Code::StorageClass,
            Code::ImagePullInterrupted,
            Code::BootstrapMissing,
            Code::BootstrapFailed,
            Code::Workload,
            Code::BackgroundWorkload,
            Code::Helm,
            Code::Source,
            Code::ReleaseMissing,
            Code::LoginProbe,
        ],
        example: "Node appliance is not ready: NodeStatusUnknown: Kubelet stopped posting node status.",
        detect: platform::node,
    },
    Detector {
        code: Code::StorageClass,
        signals: &["PersistentVolumeClaim Pending without class or provisioner", "two provisioners"],
        grace: 15,
        next_action: "Install exactly one local-path provisioner and make it the default StorageClass.",
        causes: &[
            Code::Scheduling,
            Code::BootstrapFailed,
            Code::BootstrapMissing,
            Code::Workload,
            Code::BackgroundWorkload,
            Code::Helm,
            Code::Source,
            Code::ReleaseMissing,
            Code::LoginProbe,
        ],
        example: "PersistentVolumeClaim msp/alga-core-sebastian-postgres-data is Pending: no default StorageClass",
        detect: volumes::storage_class,
    },
    Detector {
        code: Code::Scheduling,
        signals: &["Pod condition PodScheduled is False, reason Unschedulable"],
        grace: 20,
        next_action: "Free the resource or remove the taint that keeps the pod from the node, then wait for the scheduler.",
        causes: NOT_READY,
        example: "0/1 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.",
        detect: platform::scheduling,
    },
    Detector {
        code: Code::PostgresStorage,
        signals: &[
            "failed to create subPath directory",
            "failed to prepare subPath",
            "volumeMount \"db-data\"",
        ],
        grace: 0,
        next_action: "Repair or recreate the Postgres PVC subPath (db-data) and restart the db pod.",
        causes: NOT_READY,
        example: "failed to create subPath directory for volumeMount \"db-data\" of container \"db\"",
        detect: volumes::postgres_storage,
    },
    Detector {
        code: Code::StorageInit,
        signals: &["failed to create subPath directory", "failed to prepare subPath"],
        grace: 0,
        next_action: "Repair or recreate the named volume's subPath and restart the pod.",
        causes: NOT_READY,
        example: "failed to prepare subPath for volumeMount \"redis-data\" of container \"redis\"",
        detect: volumes::storage_init,
    },
    Detector {
        code: Code::VolumeFull,
        signals: &["no space left on device"],
        grace: 0,
        next_action: "Free or enlarge the named volume.",
        causes: NOT_READY,
        example: "could not extend file: No space left on device",
        detect: logs::volume_full,
    },
    Detector {
        code: Code::ConfigMissing,
        signals: &["configmap \"…\" not found", "secret \"…\" not found", "couldn't find key … in …"],
        grace: 10,
        next_action: "Restore the named object and key.",
        causes: NOT_READY,
        example: "couldn't find key DB_PASSWORD_SERVER in Secret msp/db-credentials",
        detect: configuration::config_missing,
    },
    Detector {
        code: Code::Credentials,
        signals: &["password authentication failed", "Refusing to generate db-credentials…"],
        grace: 0,
        next_action: "Restore the db-credentials Secret that belongs to this volume, or reinstall in fresh mode.",
        causes: NOT_READY,
        example: "FATAL: password authentication failed for user \"app_user\"",
        detect: configuration::credentials,
    },
    Detector {
        code: Code::ImageNotFound,
        signals: &["ErrImagePull/ImagePullBackOff with not found", "manifest unknown"],
        grace: 0,
        next_action: "Publish the missing image tag or update the appliance release manifest to a valid tag.",
        causes: NOT_READY,
        example: "Image tag not found: ghcr.io/nine-minds/workflow-worker:61e4a00e",
        detect: images::not_found,
    },
    Detector {
        code: Code::ImageRegistry,
        signals: &["registry unreachable", "401/403", "429", "5xx", "bad digest"],
        grace: 5,
        next_action: "Make the registry reachable from the node, then wait for the next pull.",
        causes: NOT_READY,
        example: "unexpected status from HEAD request to https://ghcr.io/v2/…: 500 Internal Server Error",
        detect: images::registry,
    },
    Detector {
        code: Code::ImagePullInterrupted,
        signals: &["context canceled", "unexpected EOF", "context deadline exceeded, while pulling"],
        grace: 0,
        next_action: "Wait for automatic retry or restart the affected pod if retries stall.",
        causes: NOT_READY,
        example: "short read: expected 13145738 bytes but got 6572869: unexpected EOF",
        detect: images::interrupted,
    },
    Detector {
        code: Code::TemporalSchema,
        signals: &["sql schema version compatibility check failed"],
        grace: 0,
        next_action: "Ensure Temporal autosetup/schema initialization runs during install, then restart Temporal.",
        causes: NOT_READY,
        example: "sql schema version compatibility check failed: unable to read DB schema version",
        detect: logs::temporal_schema,
    },
    Detector {
        code: Code::ServiceLink,
        signals: &["cannot unmarshal … tcp://"],
        grace: 0,
        next_action: "Disable service links for the affected deployment and restart the workload.",
        causes: NOT_READY,
        example: "cannot unmarshal !!str `tcp://1...` into int",
        detect: logs::service_link,
    },
    Detector {
        code: Code::BootstrapFailed,
        signals: &["newest bootstrap job Failed"],
        grace: 0,
        next_action: "Review the bootstrap log excerpt and rerun bootstrap in recover mode.",
        causes: NOT_READY,
        example: "ERROR: Configured seed directory does not exist: ee/server/seeds/onboarding",
        detect: bootstrap::failed,
    },
    Detector {
        code: Code::BootstrapMissing,
        signals: &["the app waits for bootstrap and no job exists"],
        grace: 120,
        next_action: "Reconcile the alga-core release; the bootstrap job was never created.",
        causes: NOT_READY,
        example: "alga-core waits for bootstrap, and no bootstrap job exists",
        detect: bootstrap::missing,
    },
    Detector {
        code: Code::Workload,
        signals: &["crash loop", "OOMKilled", "running and not ready"],
        grace: 10,
        next_action: "Inspect the named container's log.",
        causes: NOT_READY,
        example: "Container redis of redis-0 ended with exit code 1: Fatal error, can't open config file",
        detect: workloads::core,
    },
    Detector {
        code: Code::BackgroundWorkload,
        signals: &["crash loop", "OOMKilled", "running and not ready"],
        grace: 10,
        next_action: "Inspect the named container's log.",
        causes: NOT_READY,
        example: "Container email-service of email-service-7c9 ended with exit code 1: SMTP_HOST is not set",
        detect: workloads::background,
    },
    Detector {
        code: Code::Source,
        signals: &["source FetchFailed", "Kustomization Ready=False and not progressing"],
        grace: 20,
        next_action: "Inspect the named Flux object's conditions, repair what they name, then reconcile it.",
        causes: &[Code::ReleaseMissing, Code::Helm, Code::BootstrapMissing],
        example: "OCIRepository alga-appliance: MANIFEST_UNKNOWN: Unknown manifest",
        detect: reconcile::source,
    },
    Detector {
        code: Code::HelmStorage,
        signals: &["another operation (install/upgrade/rollback) is in progress", "has no deployed releases"],
        grace: 60,
        next_action: "Remove the stuck release record of the named release, then reconcile it.",
        causes: &[Code::Helm, Code::Source, Code::ReleaseMissing],
        example: "another operation (install/upgrade/rollback) is in progress",
        detect: reconcile::helm_storage,
    },
    Detector {
        code: Code::Helm,
        signals: &["HelmRelease Stalled, or Ready=False and not progressing"],
        grace: 20,
        next_action: "Inspect the release's first failing workload.",
        causes: &[Code::Source, Code::ReleaseMissing],
        example: "Helm install failed for release msp/temporal: timeout waiting for: [Deployment/msp/temporal status: 'InProgress']",
        detect: reconcile::helm,
    },
    Detector {
        code: Code::ReleaseMissing,
        signals: &["expected HelmRelease absent although its Kustomization is Ready"],
        grace: 30,
        next_action: "Run Repair Release.",
        causes: &[],
        example: "HelmRelease alga-system/email-service does not exist",
        detect: reconcile::release_missing,
    },
    Detector {
        code: Code::ReleaseDrift,
        signals: &["image of a workload is not the one that the values of its release select"],
        grace: 30,
        next_action: "Run Repair Release.",
        causes: &[],
        example: "email-service runs ghcr.io/nine-minds/email-service:hotfix, and the values of email-service select ghcr.io/nine-minds/email-service:61e4a00e",
        detect: drift::drift,
    },
    Detector {
        code: Code::LoginProbe,
        signals: &["alga-core ready, and its page does not answer 200–399 on its own host"],
        grace: 20,
        next_action: "Inspect the log of alga-core.",
        causes: &[],
        example: "http://10.0.2.15:3000/ answered 500",
        detect: login::probe,
    },
];
