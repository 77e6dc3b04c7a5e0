//! What recorded clusters said, and what it means: text by text.

use appliance_status_model::{BlockerCode as Code, Component, ComponentTier};

use crate::facts::{Condition, ObjectKey, Truth};
use crate::samples::{
    ago, break_component, codes, container, ended, flux, healthy, job, log, look_after, put_release, waiting,
};

/// A row: the recording, what was said, the code, and a part of the next action.
type Row = (&'static str, &'static str, Code, &'static str);

const HEAD: &str = "failed to pull and unpack image \"ghcr.io/nine-minds/alga:1\": failed to resolve reference \"ghcr.io/nine-minds/alga:1\": ";

/// Ends of pull errors, after `failed to resolve reference …: `.
const PULLS: &[Row] = &[
    (
        "b-dns-refused",
        "failed to do request: Head \"https://ghcr.io/v2/a/manifests/x\": dial tcp: lookup ghcr.io on 127.0.0.1:53: read udp 127.0.0.1:40000->127.0.0.1:53: read: connection refused",
        Code::Dns,
        "Configure explicit DNS servers",
    ),
    (
        "b-dns-nosuchhost",
        "failed to do request: Head \"https://ghcr.io/v2/a/manifests/x\": dial tcp: lookup ghcr.io on 127.0.0.1:53: no such host",
        Code::Dns,
        "Configure explicit DNS servers",
    ),
    (
        "b-dns-servfail",
        "failed to do request: Head \"https://ghcr.io/v2/a/manifests/x\": dial tcp: lookup ghcr.io on 127.0.0.1:53: server misbehaving",
        Code::Dns,
        "Configure explicit DNS servers",
    ),
    (
        "b-dns-engine-resolver-dead",
        "failed to do request: Head \"https://ghcr.io/v2/a/manifests/x\": dial tcp: lookup ghcr.io on 172.18.0.1:53: read udp 10.0.0.1:4->172.18.0.1:53: i/o timeout",
        Code::Dns,
        "Configure explicit DNS servers",
    ),
    (
        "c-tag-missing",
        "ghcr.io/nine-minds/alga:1: not found",
        Code::ImageNotFound,
        "Publish the missing image tag",
    ),
    (
        "c-digest-missing",
        "ghcr.io/nine-minds/alga@sha256:0a: not found",
        Code::ImageNotFound,
        "Publish the missing image tag",
    ),
    (
        "c-repository-missing",
        "ghcr.io/nine-minds/no-such-repository:1: not found",
        Code::ImageNotFound,
        "Publish the missing image tag",
    ),
    (
        "c-pull-denied",
        "unexpected status from HEAD request to http://172.18.0.1:5001/v2/deny/alga/manifests/1?ns=ghcr.io: 403 Forbidden",
        Code::ImageRegistry,
        "Grant this site access",
    ),
    (
        "contract: 401",
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=a: 401 Unauthorized",
        Code::ImageRegistry,
        "Grant this site access",
    ),
    (
        "contract: 429",
        "unexpected status from HEAD request to https://ghcr.io/v2/a/manifests/1: 429 Too Many Requests",
        Code::ImageRegistry,
        "Wait until the registry's rate limit is over",
    ),
    (
        "c-registry-500",
        "unexpected status from HEAD request to http://172.18.0.1:5001/v2/fail/alga/manifests/1?ns=ghcr.io: 500 Internal Server Error",
        Code::ImageRegistry,
        "Wait for the registry to recover",
    ),
    (
        "c-registry-down",
        "failed to do request: Head \"http://172.18.0.1:5999/v2/a/manifests/2?ns=ghcr.io\": dial tcp 172.18.0.1:5999: connect: connection refused",
        Code::ImageRegistry,
        "Make the registry reachable",
    ),
    (
        "contract: a wrong address",
        "failed to do request: Head \"https://ghcr.io/v2/a/manifests/2\": tls: failed to verify certificate: x509: certificate is valid for example.com, not ghcr.io",
        Code::ImageRegistry,
        "Make the node trust the registry's certificate, or correct the address",
    ),
    (
        "contract: bad digest",
        "failed commit on ref \"layer-sha256:0a\": unexpected commit digest sha256:0b, expected sha256:0a: failed precondition",
        Code::ImageRegistry,
        "Publish the image again",
    ),
    (
        "c-pull-dropped",
        "short read: expected 13145738 bytes but got 6572869: unexpected EOF",
        Code::ImagePullInterrupted,
        "Wait for automatic retry",
    ),
    ("FIELD", "context canceled", Code::ImagePullInterrupted, "Wait for automatic retry"),
    ("contract", "context deadline exceeded", Code::ImagePullInterrupted, "Wait for automatic retry"),
];

#[test]
fn every_recorded_pull_error_is_understood_in_both_states_and_of_every_component() {
    for (recording, text, code, advice) in PULLS {
        for component in Component::ALL {
            let bare = format!("{HEAD}{text}");
            let kept = format!("Back-off pulling image \"ghcr.io/nine-minds/alga:1\": ErrImagePull: {bare}");
            for (reason, message) in [("ErrImagePull", bare), ("ImagePullBackOff", kept)] {
                let mut known = healthy();
                let state = waiting(reason, &message);
                break_component(&mut known, component, container("main", "ghcr.io/nine-minds/alga:1", state));
                let document = look_after(&known, 10);
                assert_eq!(codes(&document), [(*code, component.name())], "{recording} {reason}");
                let blocker = &document.top_blockers[0];
                assert!(blocker.next_action.starts_with(advice), "{recording}: {}", blocker.next_action);
                let waits =
                    component.tier() != ComponentTier::Background && *code != Code::ImagePullInterrupted;
                assert_eq!(blocker.login_blocking, waits, "{recording}");
            }
        }
    }
}

/// Reasons and messages of waiting containers, by recording.
const WAITING: &[(&str, &str, &str, Code, &str)] = &[
    (
        "d-subpath",
        "CreateContainerConfigError",
        "failed to create subPath directory for volumeMount \"db-data\" of container \"db\"",
        Code::PostgresStorage,
        "Repair or recreate the Postgres PVC subPath",
    ),
    (
        "d-subpath",
        "CreateContainerConfigError",
        "failed to prepare subPath for volumeMount \"db-data\" of container \"db\"",
        Code::PostgresStorage,
        "Repair or recreate the Postgres PVC subPath",
    ),
    (
        "d-subpath",
        "CreateContainerConfigError",
        "missing value for POD_DIR",
        Code::Workload,
        "Inspect the named",
    ),
    (
        "h-config-errors",
        "CreateContainerConfigError",
        "secret \"absent\" not found",
        Code::ConfigMissing,
        "Restore the named",
    ),
    (
        "h-config-errors",
        "CreateContainerConfigError",
        "configmap \"absent\" not found",
        Code::ConfigMissing,
        "Restore the named",
    ),
    (
        "h-config-errors",
        "CreateContainerConfigError",
        "couldn't find key a in ConfigMap msp/present",
        Code::ConfigMissing,
        "Restore the named",
    ),
    (
        "h-config-errors",
        "CreateContainerConfigError",
        "couldn't find key DB_PASSWORD_SERVER in Secret msp/db-credentials",
        Code::ConfigMissing,
        "Restore the named",
    ),
    (
        "h-config-errors",
        "CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root (pod: \"p\", container: app)",
        Code::Workload,
        "Inspect the named",
    ),
    (
        "h-config-errors",
        "InvalidImageName",
        "Failed to apply default image tag \"ghcr.io/Nine-Minds/alga:X:Y\": couldn't parse image name",
        Code::ImageNotFound,
        "Publish the missing image tag",
    ),
    (
        "h-config-errors",
        "ErrImageNeverPull",
        "Container image \"kindlab/never-built:1\" is not present with pull policy of Never",
        Code::ImageNotFound,
        "Publish the missing image tag",
    ),
    (
        "h-config-errors",
        "RunContainerError",
        "failed to create containerd task: exec: \"not-there\": executable file not found in $PATH",
        Code::Workload,
        "Inspect the named",
    ),
    (
        "h-crashes",
        "CrashLoopBackOff",
        "back-off 10s restarting failed container=app pod=crash-loop_rec",
        Code::Workload,
        "Inspect the named",
    ),
];

#[test]
fn every_recorded_state_of_a_waiting_container_is_understood() {
    for (recording, reason, message, code, advice) in WAITING {
        let mut known = healthy();
        break_component(&mut known, Component::Db, container("db", "img:1", waiting(reason, message)));
        let document = look_after(&known, 30);
        assert_eq!(codes(&document), [(*code, "db")], "{recording}: {message}");
        let blocker = &document.top_blockers[0];
        assert!(blocker.next_action.starts_with(advice), "{recording}: {}", blocker.next_action);
        assert!(blocker.login_blocking, "{recording}: {message}");
        let quoted =
            *code == Code::ImageNotFound || *reason == "CrashLoopBackOff" || blocker.reason.contains(message);
        assert!(quoted, "{recording}: {}", blocker.reason);
    }
}

/// What the scheduler said, and a part of the next action.
const SCHEDULER: &[(&str, &str)] = &[
    (
        "0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        "Give the node more",
    ),
    (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        "Give the node more",
    ),
    (
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        "Label the node",
    ),
    (
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
        "Free the node's port",
    ),
    ("0/1 nodes are available: 1 Too many pods.", "Give the node more"),
    (
        "0/1 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.",
        "Allow workloads on the control plane",
    ),
    (
        "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }.",
        "Free memory",
    ),
    (
        "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }.",
        "Free disk space",
    ),
    (
        "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/pid-pressure: }.",
        "End processes",
    ),
    ("0/1 nodes are available: 1 node(s) had untolerated taint {disk: slow}.", "Remove the named taint"),
    ("0/1 nodes are available: 1 node(s) were unschedulable.", "Uncordon"),
    (
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
        "Create or repair the named",
    ),
    (
        "0/1 nodes are available: persistentvolumeclaim \"never-made\" not found. not found",
        "Create or repair the named",
    ),
    ("0/1 nodes are available: nobody knows.", "Remove what the scheduler names"),
];

#[test]
fn what_the_scheduler_said_leads_to_an_action_of_its_own() {
    for (message, advice) in SCHEDULER {
        let mut known = healthy();
        break_component(
            &mut known,
            Component::Redis,
            container("main", "img:1", crate::ContainerState::Unknown),
        );
        let refused = Condition {
            kind: "PodScheduled".into(),
            status: Truth::False,
            reason: "Unschedulable".into(),
            message: (*message).into(),
            since: ago(60),
            ..Condition::default()
        };
        known.pods.get_mut(&ObjectKey::new("msp", "redis-0")).unwrap().conditions.push(refused);
        let document = look_after(&known, 1);
        assert_eq!(codes(&document), [(Code::Scheduling, "redis")], "{message}");
        assert!(document.next_action.starts_with(advice), "{message}: {}", document.next_action);
    }
}

/// What the source said of itself: reason, message, code, next action.
const SOURCES: &[Row] = &[
    (
        "flux b-dns-coredns-gone",
        "failed to determine artifact digest: Get \"https://registry:5000/v2/\": dial tcp: lookup registry on 10.96.0.10:53: read udp 10.0.0.1:4->10.96.0.10:53: read: connection refused; Get \"http://registry:5000/v2/\": dial tcp: lookup registry on 10.96.0.10:53: read udp 10.0.0.1:4->10.96.0.10:53: read: connection refused",
        Code::Dns,
        "Configure explicit DNS servers",
    ),
    (
        "flux b-dns-servfail",
        "failed to determine artifact digest: Get \"https://registry.example.com/v2/\": dial tcp: lookup registry.example.com on 10.96.0.10:53: server misbehaving",
        Code::Dns,
        "Configure explicit DNS servers",
    ),
    (
        "flux b-http-errors",
        "failed to determine artifact digest: GET http://registry:5000/v2/deny/appliance/manifests/1.0.0: DENIED: requested access to the resource is denied",
        Code::ImageRegistry,
        "Grant this site access",
    ),
    (
        "flux b-http-errors",
        "failed to determine artifact digest: GET http://registry:5000/v2/rate/appliance/manifests/1.0.0: TOOMANYREQUESTS: rate limit exceeded",
        Code::ImageRegistry,
        "Wait until the registry's rate limit",
    ),
    (
        "flux b-http-errors",
        "failed to determine artifact digest: GET http://registry:5000/v2/fail/appliance/manifests/1.0.0: UNKNOWN: unknown error",
        Code::ImageRegistry,
        "Wait for the registry to recover",
    ),
    (
        "flux b-registry-refused",
        "failed to determine artifact digest: Get \"https://nobody:5000/v2/\": dial tcp 10.96.95.179:5000: connect: connection refused",
        Code::ImageRegistry,
        "Make the registry reachable",
    ),
    (
        "flux b-repository-missing",
        "failed to determine artifact digest: GET http://registry:5000/v2/a/manifests/1.0.0: NAME_UNKNOWN: Unknown name",
        Code::Source,
        "Publish the missing source artifact",
    ),
    (
        "flux b-tag-missing",
        "failed to determine artifact digest: GET http://registry:5000/v2/a/manifests/1.0.0: MANIFEST_UNKNOWN: Unknown manifest",
        Code::Source,
        "Publish the missing source artifact",
    ),
    (
        "flux b-not-gzip",
        "failed to extract layer contents from artifact: requires gzip-compressed body: gzip: invalid header",
        Code::Source,
        "Inspect the source's conditions",
    ),
    (
        "flux b-size-mismatch",
        "failed to extract the first layer from artifact: GET http://registry:5000/v2/a/blobs/sha256:0a: Content-Length header 100 does not match expected size 107",
        Code::Source,
        "Inspect the source's conditions",
    ),
];

#[test]
fn what_a_source_said_is_its_own_fault_or_the_registrys_or_that_of_names() {
    for (recording, message, code, advice) in SOURCES {
        let mut known = healthy();
        let source = known.oci_source.values_mut().next().unwrap();
        source.conditions.insert(
            0,
            Condition {
                kind: "FetchFailed".into(),
                status: Truth::True,
                message: (*message).into(),
                since: ago(60),
                ..Condition::default()
            },
        );
        let document = look_after(&known, 1);
        assert_eq!(codes(&document), [(*code, "source")], "{recording}: {message}");
        assert!(document.next_action.starts_with(advice), "{recording}: {}", document.next_action);
        assert!(!document.top_blockers[0].login_blocking, "{recording}");
    }
}

/// What a HelmRelease said: reason, message.
const RELEASES: &[(&str, &str, &str, Code)] = &[
    (
        "flux d-install-timeout",
        "InstallFailed",
        "Helm install failed for release msp/x with chart x@1.0.0: timeout waiting for: [Deployment/msp/x status: 'InProgress']",
        Code::Helm,
    ),
    (
        "flux d-install-timeout",
        "InstallFailed",
        "Helm install failed for release msp/x with chart x@1.0.0: client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline",
        Code::Helm,
    ),
    (
        "flux d-legacy-wait",
        "InstallFailed",
        "Helm install failed for release msp/x with chart x@1.0.0: context deadline exceeded",
        Code::Helm,
    ),
    (
        "flux d-legacy-wait",
        "InstallFailed",
        "Helm install failed for release msp/x with chart x@1.0.0: failed post-install: job x-hook failed: BackoffLimitExceeded",
        Code::Helm,
    ),
    (
        "flux d-template-error",
        "InstallFailed",
        "Helm install failed for release msp/x with chart x@1.0.0: x/templates/all.yaml:3:13\n nil pointer evaluating interface {}.such",
        Code::Helm,
    ),
    (
        "flux d-template-error",
        "UpgradeFailed",
        "Helm upgrade failed for release msp/x with chart x@1.0.0: execution error at (x.yaml:1:27): Refusing to generate db-credentials because PVC msp/alga-core-sebastian-postgres-data already exists",
        Code::Credentials,
    ),
    (
        "flux d-upgrade-retry",
        "RollbackSucceeded",
        "Helm rollback to previous release msp/x.v1 with chart x@1.0.0 succeeded",
        Code::Helm,
    ),
    (
        "flux d-chart-missing",
        "ArtifactFailed",
        "could not get Source object: OCIRepository.source.toolkit.fluxcd.io \"nothing\" not found",
        Code::Helm,
    ),
    (
        "flux d-values-missing",
        "ValuesError",
        "could not resolve ConfigMap chart values reference 'alga-system/appliance-values-x' with key 'x.yaml': configmaps \"appliance-values-x\" not found",
        Code::ConfigMissing,
    ),
    (
        "flux d-values-missing",
        "ValuesError",
        "could not resolve ConfigMap chart values reference 'alga-system/appliance-values-x' with key 'x.yaml': key not found",
        Code::ConfigMissing,
    ),
    (
        "flux d-values-missing",
        "ValuesError",
        "could not resolve ConfigMap chart values reference 'alga-system/bad' with key 'x.yaml': error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'",
        Code::Helm,
    ),
    (
        "flux d-namespace-missing",
        "InstallFailed",
        "Helm install failed for release msp/x with chart x@1.0.0: create: failed to create: namespaces \"no-such\" not found",
        Code::HelmStorage,
    ),
    (
        "flux d-pending-install",
        "UpgradeFailed",
        "another operation (install/upgrade/rollback) is in progress",
        Code::HelmStorage,
    ),
    ("flux d-failed-release", "UpgradeFailed", "\"x\" has no deployed releases", Code::HelmStorage),
    (
        "flux d-failed-release",
        "InstallFailed",
        "cannot re-use a name that is still in use",
        Code::HelmStorage,
    ),
];

#[test]
fn what_a_release_said_is_its_own_fault_or_that_of_what_it_is_made_from() {
    for (recording, reason, message, code) in RELEASES {
        let mut known = healthy();
        known.workloads.remove(&(Component::EmailService.kind(), ObjectKey::new("msp", "email-service")));
        known.pods.remove(&ObjectKey::new("msp", "email-service-0"));
        put_release(&mut known, flux("email-service").with("Ready", Truth::False, reason, message));
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(*code, "email-service")], "{recording}: {message}");
        assert!(!document.top_blockers[0].login_blocking, "{recording}");
    }
}

/// States that stand on good installs as well.
const HARMLESS: &[(&str, Truth, &str, &str)] = &[
    (
        "flux a-healthy",
        Truth::False,
        "SourceNotReady",
        "HelmChart 'a/b' is not ready: latest generation of object has not been reconciled",
    ),
    ("flux a-healthy", Truth::False, "DependencyNotReady", "dependency 'alga-system/alga-core' is not ready"),
    ("flux a-healthy", Truth::Unknown, "Progressing", "Running 'install' action with timeout of 30m0s"),
    ("flux a-healthy", Truth::Unknown, "Progressing", "Reconciliation in progress"),
    (
        "flux d-pending-install",
        Truth::False,
        "PendingRelease",
        "Unlocked Helm release msp/x.v1 with chart x@1.0.0 in pending-install state",
    ),
    (
        "flux d-tests",
        Truth::Unknown,
        "AwaitingTests",
        "Helm release msp/x.v1 with chart x@1.0.0 is awaiting tests",
    ),
];

#[test]
fn what_good_installs_say_is_no_blocker_however_long_it_stands() {
    for (recording, truth, reason, message) in HARMLESS {
        let mut known = healthy();
        put_release(&mut known, flux("email-service").with("Ready", *truth, reason, message));
        assert!(look_after(&known, 600).top_blockers.is_empty(), "{recording}: {reason}");
    }
}

/// Last lines of containers that ended, and what they mean.
const LINES: &[(Component, &str, Code)] = &[
    (
        Component::Temporal,
        "Unable to create server. Error: sql schema version compatibility check failed: unable to read DB schema version",
        Code::TemporalSchema,
    ),
    (
        Component::TemporalUi,
        "2026/11/21 config: cannot unmarshal !!str `tcp://1...` into int",
        Code::ServiceLink,
    ),
    (
        Component::WorkflowWorker,
        "yaml: cannot unmarshal !!str `tcp://10.96.0.1:80` into int",
        Code::ServiceLink,
    ),
    (
        Component::Pgbouncer,
        "ERROR S: server/app_user@db:5432 login failed: password authentication failed for user \"app_user\"",
        Code::Credentials,
    ),
    (Component::EmailService, "ERROR: database server at db:5432: no password supplied", Code::Credentials),
    (Component::EmailService, "error: SASL authentication failed", Code::Credentials),
    (
        Component::Db,
        "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device",
        Code::VolumeFull,
    ),
    (Component::Redis, "Write error saving DB on disk: No space left on device", Code::VolumeFull),
    (Component::EmailService, "Error: connect ECONNREFUSED 10.96.0.20:5432", Code::BackgroundWorkload),
];

#[test]
fn last_lines_tell_what_no_state_tells() {
    for (component, line, code) in LINES {
        let mut known = healthy();
        break_component(&mut known, *component, ended(1, 3, "Error"));
        log(&mut known, *component, line);
        let document = look_after(&known, 60);
        assert_eq!(codes(&document), [(*code, component.name())], "{line}");
        assert!(document.top_blockers[0].reason.contains(line), "{}", document.top_blockers[0].reason);
    }
}

/// Error lines of the bootstrap job, code, and next action.
const BOOTSTRAP: &[(&str, Code, &str)] = &[
    (
        "ERROR: Configured seed directory does not exist: /app/seeds",
        Code::BootstrapFailed,
        "Publish an app image that holds the configured seed directory",
    ),
    (
        "ERROR: Existing application database state detected while bootstrap.mode=fresh.",
        Code::BootstrapFailed,
        "Rerun bootstrap in recover mode to keep the data",
    ),
    (
        "ERROR: PostgreSQL did not become reachable within 300s at db:5432",
        Code::BootstrapFailed,
        "Check database connectivity and the db-credentials Secret",
    ),
    (
        "ERROR: No admin database password available",
        Code::BootstrapFailed,
        "Check database connectivity and the db-credentials Secret",
    ),
    (
        "ERROR: Migration failed: 2024_x.cjs: ERROR:  relation \"users\" already exists",
        Code::BootstrapFailed,
        "Review the bootstrap log excerpt",
    ),
    (
        "ERROR: Appliance bootstrap finished seed execution but no admin users exist",
        Code::BootstrapFailed,
        "Review the bootstrap log excerpt",
    ),
    (
        "ERROR: INITIAL_TENANT is required to create the initial appliance tenant",
        Code::BootstrapFailed,
        "Set the named value",
    ),
    (
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'knex'",
        Code::BootstrapFailed,
        "Publish an app image that holds the named module",
    ),
    (
        "ERROR: PostgreSQL authentication failed for postgres at db:5432",
        Code::Credentials,
        "Restore the db-credentials Secret",
    ),
    ("ERROR: getaddrinfo ENOTFOUND db.msp.svc.cluster.local", Code::Dns, "Configure explicit DNS servers"),
];

#[test]
fn bootstraps_error_line_decides_what_helps() {
    for (line, code, advice) in BOOTSTRAP {
        let mut known = healthy();
        known.bootstrap_result = None;
        job(&mut known, "Failed", line);
        let document = look_after(&known, 10);
        assert_eq!(codes(&document), [(*code, "alga-core")], "{line}");
        let blocker = &document.top_blockers[0];
        assert!(blocker.login_blocking && blocker.reason.contains(line), "{}", blocker.reason);
        assert!(blocker.next_action.starts_with(advice), "{line}: {}", blocker.next_action);
    }
}
