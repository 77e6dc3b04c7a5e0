//! What the whole assessment says of one broken thing at a time.

use appliance_status_model::{BlockerCode as Code, Component, RollupState, WorkloadKind};

use crate::facts::{
    Condition, ContainerFact, ContainerState, EventFact, Knowledge, ObjectKey, Outage, Owner, PodFact,
    ReadState, ServiceFact, Truth, WorkloadFact,
};
use crate::samples::{
    ago, break_component, codes, container, ended, flux, healthy, job, log, look, look_after, now,
    put_release, running, waiting,
};

const MISSING: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \"x\": failed to resolve reference \"x\": x: not found";
const STALE_RESOLVER: &str = "failed to pull and unpack image \"x\": failed to resolve reference \"x\": failed to do request: Head \"https://ghcr.io/v2/a/manifests/1\": dial tcp: lookup ghcr.io on 127.0.0.1:53: read udp 127.0.0.1:4->127.0.0.1:53: read: connection refused";

#[test]
fn a_healthy_appliance_is_fully_healthy_and_has_no_blocker() {
    let document = look_after(&healthy(), 3600);
    assert_eq!(document.status, RollupState::FullyHealthy, "{document:#?}");
    assert!(document.top_blockers.is_empty());
}

#[test]
fn an_empty_cluster_is_installing_and_has_no_blocker() {
    let document = look_after(&Knowledge::default(), 3600);
    assert_eq!(document.status, RollupState::Installing);
    assert!(document.top_blockers.is_empty());
}

#[test]
fn a_missing_tag_of_any_component_names_that_component_and_image() {
    for component in Component::ALL {
        let image = format!("ghcr.io/nine-minds/{}:gone", component.name());
        for reason in ["ErrImagePull", "ImagePullBackOff"] {
            let mut known = healthy();
            let message = format!("Back-off pulling image \"x\": ErrImagePull: {MISSING}");
            break_component(&mut known, component, container("main", &image, waiting(reason, &message)));
            let document = look(&known);
            assert_eq!(codes(&document), [(Code::ImageNotFound, component.name())]);
            let blocker = &document.top_blockers[0];
            assert_eq!(blocker.reason, format!("Image tag not found: {image}"));
            let background = component.tier() == appliance_status_model::ComponentTier::Background;
            assert_eq!(blocker.login_blocking, !background);
            let expected = if background {
                RollupState::ReadyWithBackgroundIssues
            } else {
                RollupState::FailedActionRequired
            };
            assert_eq!(document.status, expected);
        }
    }
}

#[test]
fn a_stalled_release_and_its_tier_follow_from_the_missing_image() {
    let mut known = healthy();
    let state = waiting("ErrImagePull", MISSING);
    break_component(&mut known, Component::WorkflowWorker, container("main", "img:gone", state));
    let stalled = flux("workflow-worker")
        .with("Stalled", Truth::True, "RetriesExceeded", "Failed to install after 1 attempt(s)")
        .with(
            "Ready",
            Truth::False,
            "InstallFailed",
            "timeout waiting for: [Deployment/msp/workflow-worker]",
        );
    put_release(&mut known, stalled);
    let document = look(&known);
    assert_eq!(codes(&document), [(Code::ImageNotFound, "workflow-worker")]);
    let blocker = &document.top_blockers[0];
    assert_eq!(blocker.consequences[0].code, Code::Helm);
    assert!(blocker.next_action.ends_with("to a valid tag, then reconcile the release workflow-worker."));
}

#[test]
fn a_release_whose_job_would_refuse_its_own_data_is_to_be_reconciled_in_recover_mode() {
    let mut known = healthy();
    known.values.insert("alga-core".into(), "bootstrap: { mode: fresh }".into());
    break_component(
        &mut known,
        Component::Redis,
        container("main", "img:gone", waiting("ErrImagePull", MISSING)),
    );
    let early = "failed early due to stalled resources: [StatefulSet/msp/redis status: 'Failed']";
    let stalled = flux("alga-core")
        .with("Stalled", Truth::True, "RetriesExceeded", "Failed to install after 1 attempt(s)")
        .with("Ready", Truth::False, "InstallFailed", early);
    put_release(&mut known, stalled);
    let advice = |known: &crate::Knowledge| look(known).top_blockers[0].next_action.clone();
    assert!(advice(&known).contains("reconcile the release alga-core by running bootstrap in recover mode"));
    known.values.insert("alga-core".into(), "bootstrap: { mode: recover }".into());
    assert!(advice(&known).ends_with("then reconcile the release alga-core."));
}

#[test]
fn not_found_outweighs_an_interruption_of_the_same_pull() {
    let mut known = healthy();
    let state = waiting("ErrImagePull", "context canceled");
    break_component(&mut known, Component::Redis, container("main", "img:gone", state));
    assert_eq!(codes(&look(&known)), [(Code::ImagePullInterrupted, "redis")]);
    assert_ne!(look(&known).status, RollupState::FailedActionRequired);
    let event = EventFact {
        reason: "Failed".into(),
        message: "Failed to pull image \"img:gone\": x: not found".into(),
        about_uid: "uid-redis-0".into(),
        ..EventFact::default()
    };
    known.events.insert(ObjectKey::new("msp", "redis-0.1"), event);
    assert_eq!(codes(&look(&known)), [(Code::ImageNotFound, "redis")]);
}

#[test]
fn an_event_tells_a_failed_pull_before_the_status_does() {
    let mut known = healthy();
    break_component(&mut known, Component::Db, container("db", "img:gone", waiting("PodInitializing", "")));
    let mut tell = |name: &str, seconds, message: &str| {
        let (about_uid, message) = ("uid-db-0".to_owned(), message.to_owned());
        let event = EventFact { message, about_uid, last: ago(seconds), ..EventFact::default() };
        known.events.insert(ObjectKey::new("msp", name), event);
        codes(&look(&known)).len()
    };
    assert_eq!(tell("db-0.1", 9, "Pulling image \"img:gone\""), 0);
    assert_eq!(tell("db-0.2", 9, "Failed to pull image \"img:gone\": x: not found"), 1);
    assert_eq!(tell("db-0.1", 2, "Pulling image \"img:gone\""), 0);
}

#[test]
fn a_node_that_is_lost_after_login_keeps_people_out_and_explains_its_taint_and_its_resolver() {
    let mut known = healthy();
    let mut memory = crate::Memory::default();
    assert_eq!(crate::assess(&known, &mut memory, now()).status, RollupState::FullyHealthy);
    for node in known.nodes.values_mut() {
        for it in node.conditions.iter_mut().filter(|it| it.kind == "Ready") {
            (it.status, it.reason, it.since) = (Truth::Unknown, "NodeStatusUnknown".into(), ago(60));
        }
    }
    known.workloads.values_mut().for_each(|it| it.ready = 0);
    break_component(&mut known, Component::Redis, container("redis", "img:1", ContainerState::Unknown));
    let refused = Condition {
        kind: "PodScheduled".into(),
        status: Truth::False,
        reason: "Unschedulable".into(),
        message:
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }."
                .into(),
        since: ago(60),
        ..Condition::default()
    };
    known.pods.get_mut(&ObjectKey::new("msp", "redis-0")).unwrap().conditions.push(refused);
    let lookup = "Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io on 10.96.0.10:53: read udp 10.0.0.1:4->10.96.0.10:53: read: connection refused";
    put_release(&mut known, flux("temporal").with("Ready", Truth::False, "ArtifactFailed", lookup));
    let document = crate::assess(&known, &mut memory, now() + jiff::SignedDuration::from_secs(60));
    assert_eq!(codes(&document), [(Code::Node, "node")]);
    assert!(document.top_blockers[0].login_blocking);
    assert_eq!(document.status, RollupState::FailedActionRequired);
}

#[test]
fn what_a_mended_cause_leaves_behind_gets_its_grace_to_recover() {
    let mut known = healthy();
    let mut memory = crate::Memory::default();
    let at = |seconds: i64| now() + jiff::SignedDuration::from_secs(seconds);
    break_component(&mut known, Component::Db, ended(1, 5, "Error"));
    break_component(&mut known, Component::EmailService, ended(1, 5, "Error"));
    crate::assess(&known, &mut memory, at(0));
    assert_eq!(codes(&crate::assess(&known, &mut memory, at(60))), [(Code::Workload, "db")]);
    break_component(&mut known, Component::Db, container("db", "img:1", running()));
    known.workloads.get_mut(&(WorkloadKind::StatefulSet, ObjectKey::new("msp", "db"))).unwrap().ready = 1;
    assert!(crate::assess(&known, &mut memory, at(61)).top_blockers.is_empty());
    let document = crate::assess(&known, &mut memory, at(75));
    assert_eq!(codes(&document), [(Code::BackgroundWorkload, "email-service")]);
}

#[test]
fn a_resolver_that_refuses_is_told_once_after_its_grace() {
    let mut known = healthy();
    for component in [Component::Db, Component::EmailService] {
        let state = waiting("ImagePullBackOff", STALE_RESOLVER);
        break_component(&mut known, component, container("main", "img:1", state));
    }
    assert!(look(&known).top_blockers.is_empty());
    let document = look_after(&known, 6);
    assert_eq!(codes(&document), [(Code::Dns, "db")]);
    assert!(document.top_blockers[0].next_action.contains("1.1.1.1,8.8.8.8"));
}

#[test]
fn a_registry_that_refuses_or_fails_is_no_missing_tag() {
    for answer in ["403 Forbidden", "429 Too Many Requests", "500 Internal Server Error"] {
        let mut known = healthy();
        let text = format!("unexpected status from HEAD request to https://ghcr.io/v2/a: {answer}");
        break_component(
            &mut known,
            Component::Redis,
            container("main", "img:1", waiting("ErrImagePull", &text)),
        );
        let document = look_after(&known, 6);
        assert_eq!(codes(&document), [(Code::ImageRegistry, "redis")]);
        assert!(document.top_blockers[0].reason.contains(answer), "{document:#?}");
    }
}

#[test]
fn a_registry_that_is_down_is_one_blocker_whoever_meets_it_first() {
    let refused = "Get \"https://ghcr.io/v2/\": dial tcp 10.9.9.9:443: connect: connection refused";
    let mut known = healthy();
    let chart =
        format!("HelmChart 'a/b' is not ready: chart pull error: failed to download chart: {refused}");
    put_release(&mut known, flux("temporal").with("Ready", Truth::False, "SourceNotReady", &chart));
    let source = known.oci_source.values_mut().next().unwrap();
    source.conditions.push(Condition {
        kind: "FetchFailed".into(),
        status: Truth::True,
        message: format!("failed to determine artifact digest: {refused}"),
        since: ago(60),
        ..Condition::default()
    });
    let document = look(&known);
    assert_eq!(codes(&document), [(Code::ImageRegistry, "source")]);
    assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
}

#[test]
fn a_subpath_that_cannot_be_made_is_postgres_storage_before_any_time_out() {
    let mut known = healthy();
    let text = "failed to create subPath directory for volumeMount \"db-data\" of container \"db\"";
    let state = waiting("CreateContainerConfigError", text);
    break_component(&mut known, Component::Db, container("db", "img:1", state));
    let failed = flux("alga-core").with("Ready", Truth::False, "InstallFailed", "context deadline exceeded");
    put_release(&mut known, failed);
    assert_eq!(codes(&look(&known)), [(Code::PostgresStorage, "db")]);
    let text = text.replace("db-data", "redis-data");
    let mut known = healthy();
    let state = waiting("CreateContainerConfigError", &text);
    break_component(&mut known, Component::Redis, container("redis", "img:1", state));
    assert_eq!(codes(&look(&known)), [(Code::StorageInit, "redis")]);
}

#[test]
fn a_failed_bootstrap_quotes_its_error_line() {
    let mut known = healthy();
    known.bootstrap_result = None;
    job(&mut known, "Failed", "ERROR: Configured seed directory does not exist: /seeds");
    let document = look(&known);
    assert_eq!(codes(&document), [(Code::BootstrapFailed, "alga-core")]);
    assert_eq!(document.top_blockers[0].reason, "ERROR: Configured seed directory does not exist: /seeds");
    assert_eq!(document.status, RollupState::FailedActionRequired);
}

#[test]
fn a_job_that_completed_stays_completed_when_its_ttl_takes_it() {
    let mut known = healthy();
    known.bootstrap_result = None;
    job(&mut known, "Complete", "Appliance setup completed");
    let mut memory = crate::Memory::default();
    crate::assess(&known, &mut memory, now());
    known.jobs.clear();
    assert!(crate::assess(&known, &mut memory, now()).tiers.bootstrap.ready);
    known.claims.get_mut(&ObjectKey::new("msp", "alga-core-sebastian-postgres-data")).unwrap().uid =
        "new".into();
    assert!(!crate::assess(&known, &mut memory, now()).tiers.bootstrap.ready);
}

#[test]
fn a_job_that_failed_is_told_when_its_ttl_has_taken_it_and_nothing_else_has_run() {
    let text = "Helm install failed for release msp/alga-core with chart sebastian@1.0.0: failed early due to stalled resources: [Job/msp/alga-core-sebastian-bootstrap-r1 status: 'Failed']";
    for (line, code) in [
        ("ERROR: Migration failed: 1.cjs: relation \"x\" does not exist", Code::BootstrapFailed),
        ("ERROR: PostgreSQL authentication failed for postgres at db:5432", Code::Credentials),
    ] {
        let mut known = healthy();
        known.bootstrap_result = None;
        put_release(&mut known, flux("alga-core").with("Ready", Truth::False, "InstallFailed", text));
        job(&mut known, "Failed", line);
        let mut memory = crate::Memory::default();
        crate::assess(&known, &mut memory, now());
        known.jobs.clear();
        known.pods.retain(|key, _| !key.name.contains("bootstrap"));
        let document = crate::assess(&known, &mut memory, now());
        assert_eq!(codes(&document), [(code, "alga-core")]);
        assert_eq!(document.top_blockers[0].reason, line);
        // A service that starts now knows what Helm says.
        let document = look(&known);
        assert_eq!(codes(&document), [(Code::BootstrapFailed, "alga-core")]);
        assert!(document.top_blockers[0].reason.contains("bootstrap-r1 failed"), "{document:#?}");
    }
}

#[test]
fn an_app_that_waits_for_a_job_nobody_made_is_told_after_its_grace() {
    let mut known = healthy();
    known.bootstrap_result = None;
    let mut init = container("wait-for-bootstrap", "img:1", ContainerState::Running { since: ago(10) });
    (init.init, init.ready) = (true, false);
    break_component(&mut known, Component::AlgaCore, init);
    assert!(look(&known).top_blockers.is_empty());
    assert_eq!(codes(&look_after(&known, 120)), [(Code::BootstrapMissing, "alga-core")]);
}

#[test]
fn logs_tell_schema_service_links_and_passwords_apart() {
    let cases = [
        (Component::Temporal, "sql schema version compatibility check failed: no", Code::TemporalSchema),
        (Component::TemporalUi, "cannot unmarshal !!str `tcp://1...` into int", Code::ServiceLink),
        (Component::Pgbouncer, "FATAL: password authentication failed for user \"x\"", Code::Credentials),
        (Component::Redis, "write: no space left on device", Code::VolumeFull),
    ];
    for (component, line, code) in cases {
        let mut known = healthy();
        break_component(&mut known, component, ended(1, 3, "Error"));
        log(&mut known, component, line);
        assert_eq!(codes(&look_after(&known, 60)), [(code, component.name())]);
    }
}

#[test]
fn a_crash_loop_quotes_exit_code_and_last_line() {
    let mut known = healthy();
    break_component(&mut known, Component::EmailService, ended(137, 4, "OOMKilled"));
    log(&mut known, Component::EmailService, "allocating");
    let document = look_after(&known, 60);
    assert_eq!(codes(&document), [(Code::BackgroundWorkload, "email-service")]);
    assert!(document.top_blockers[0].reason.ends_with("exit code 137 (OOMKilled): allocating"));
}

#[test]
fn a_container_may_take_minutes_to_get_ready() {
    let mut known = healthy();
    let mut it = container("main", "img:1", running());
    it.ready = false;
    break_component(&mut known, Component::AlgaCore, it);
    assert!(look_after(&known, 60).top_blockers.is_empty());
    assert_eq!(codes(&look_after(&known, 240)), [(Code::Workload, "alga-core")]);
}

#[test]
fn missing_objects_and_keys_are_configuration() {
    for text in ["secret \"db-credentials\" not found", "couldn't find key A in Secret msp/db-credentials"] {
        let mut known = healthy();
        let state = waiting("CreateContainerConfigError", text);
        break_component(&mut known, Component::Pgbouncer, container("main", "img:1", state));
        assert_eq!(codes(&look_after(&known, 30)), [(Code::ConfigMissing, "pgbouncer")]);
    }
}

#[test]
fn credentials_that_may_not_be_made_anew_outweigh_the_failed_release() {
    let mut known = healthy();
    let text = "execution error at (x.yaml:1:27): Refusing to generate db-credentials because PVC msp/x already exists";
    put_release(&mut known, flux("alga-core").with("Ready", Truth::False, "InstallFailed", text));
    let document = look(&known);
    assert_eq!(codes(&document), [(Code::Credentials, "alga-core")]);
    assert!(document.top_blockers[0].reason.starts_with("Refusing to generate db-credentials"));
}

#[test]
fn a_node_that_is_lost_explains_the_rest() {
    let mut known = healthy();
    let lost = Condition {
        kind: "Ready".into(),
        reason: "NodeStatusUnknown".into(),
        since: ago(60),
        ..Condition::default()
    };
    known.nodes.values_mut().for_each(|node| node.conditions = vec![lost.clone()]);
    for workload in known.workloads.values_mut() {
        workload.ready = 0;
    }
    assert_eq!(codes(&look_after(&known, 600)), [(Code::Node, "node")]);
}

#[test]
fn a_taint_is_told_after_its_grace() {
    let mut known = healthy();
    break_component(&mut known, Component::Redis, container("main", "img:1", ContainerState::Unknown));
    let refused = Condition {
        kind: "PodScheduled".into(),
        status: Truth::False,
        reason: "Unschedulable".into(),
        message: "0/1 nodes are available: 1 node(s) had untolerated taint {x: y}.".into(),
        since: ago(5),
        ..Condition::default()
    };
    known.pods.get_mut(&ObjectKey::new("msp", "redis-0")).unwrap().conditions.push(refused);
    assert!(look(&known).top_blockers.is_empty());
    assert_eq!(codes(&look_after(&known, 20)), [(Code::Scheduling, "redis")]);
}

#[test]
fn a_claim_without_any_class_is_told_after_its_grace() {
    let mut known = healthy();
    known.storage_classes.clear();
    let claim = known.claims.get_mut(&ObjectKey::new("msp", "alga-core-sebastian-redis-data")).unwrap();
    (claim.phase, claim.created) = ("Pending".into(), ago(5));
    assert!(look(&known).top_blockers.is_empty());
    assert_eq!(codes(&look_after(&known, 20)), [(Code::StorageClass, "storage")]);
}

#[test]
fn a_source_that_cannot_be_fetched_is_told_and_login_stays() {
    let mut known = healthy();
    let source = known.oci_source.values_mut().next().unwrap();
    source.conditions.push(Condition {
        kind: "FetchFailed".into(),
        status: Truth::True,
        message: "failed to pull artifact: MANIFEST_UNKNOWN: Unknown manifest".into(),
        since: ago(60),
        ..Condition::default()
    });
    let document = look(&known);
    assert_eq!(codes(&document), [(Code::Source, "source")]);
    assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
    assert!(document.top_blockers[0].next_action.starts_with("Publish the missing source artifact"));
}

#[test]
fn a_release_that_failed_for_no_other_reason_is_helm() {
    let mut known = healthy();
    let key = (Component::Temporal.kind(), ObjectKey::new("msp", "temporal"));
    known.workloads.remove(&key);
    put_release(&mut known, flux("temporal").with("Ready", Truth::False, "InstallFailed", "nil pointer"));
    assert_eq!(codes(&look(&known)), [(Code::Helm, "temporal")]);
}

#[test]
fn an_expected_release_that_is_absent_is_told_after_its_grace() {
    let mut known = healthy();
    known.releases.remove(&ObjectKey::new("alga-system", "email-service"));
    assert_ne!(look(&known).status, RollupState::FullyHealthy);
    assert_eq!(codes(&look_after(&known, 30)), [(Code::ReleaseMissing, "email-service")]);
}

#[test]
fn a_page_that_answers_500_is_no_login() {
    let mut known = healthy();
    known.login_probe.as_mut().unwrap().status = Some(500);
    let mut memory = crate::Memory::default();
    crate::assess(&known, &mut memory, now());
    let later = now() + jiff::SignedDuration::from_secs(30);
    let document = crate::assess(&known, &mut memory, later);
    assert_eq!(codes(&document), [(Code::LoginProbe, "alga-core")]);
    assert_eq!(document.status, RollupState::FailedActionRequired);
}

#[test]
fn an_api_that_is_silent_for_long_is_kubernetes_and_nothing_else() {
    let mut known = healthy();
    known.outage = Some(Outage { seconds: 40, error: "connection refused".into() });
    assert_eq!(codes(&look(&known)), [(Code::Kubernetes, "kubernetes")]);
    known.outage = Some(Outage { seconds: 3, error: "connection reset".into() });
    assert!(look(&known).top_blockers.is_empty());
}

#[test]
fn a_pull_under_way_is_an_operation_and_no_blocker() {
    let mut known = healthy();
    let image = "ghcr.io/nine-minds/alga-psa-ee:1";
    let state = waiting("ContainerCreating", "");
    break_component(&mut known, Component::AlgaCore, container("main", image, state));
    let event = EventFact {
        reason: "Pulling".into(),
        message: format!("Pulling image \"{image}\""),
        about_uid: "uid-alga-core-sebastian-0".into(),
        last: ago(960),
        ..EventFact::default()
    };
    known.events.insert(ObjectKey::new("msp", "x.1"), event);
    let document = look(&known);
    assert_eq!(document.status, RollupState::Installing);
    let operation = &document.active_operations[0];
    assert_eq!(operation.elapsed_seconds, Some(960));
    assert_eq!(operation.estimated_size_human.as_deref(), Some("~1.8 GB"));
}

fn platform_pod(known: &mut Knowledge, namespace: &str, name: &str, of: ContainerFact) {
    let key = ObjectKey::new(namespace, name);
    known.workloads.insert(
        (WorkloadKind::Deployment, key),
        WorkloadFact { desired: 1, generation: 1, observed_generation: 1, ..WorkloadFact::default() },
    );
    let owner = Some(Owner { kind: "ReplicaSet".into(), name: format!("{name}-7c9") });
    let pod = PodFact {
        uid: name.into(),
        owner,
        phase: "Pending".into(),
        containers: vec![of],
        ..PodFact::default()
    };
    known.pods.insert(ObjectKey::new(namespace, format!("{name}-7c9-x1")), pod);
}

const PLATFORM_PARTS: [(&str, &str); 5] = [
    ("local-path-storage", "local-path-provisioner"),
    ("flux-system", "source-controller"),
    ("flux-system", "kustomize-controller"),
    ("flux-system", "helm-controller"),
    ("appliance-system", "appliance-status"),
];

#[test]
fn what_the_appliance_stands_on_is_told_when_it_cannot_be_pulled_or_does_not_stay_up() {
    for (namespace, name) in PLATFORM_PARTS {
        let missing = container("main", "img:1", waiting("ImagePullBackOff", MISSING));
        for (of, code) in [(missing, Code::ImageNotFound), (ended(2, 3, "Error"), Code::Workload)] {
            let mut known = Knowledge::default();
            platform_pod(&mut known, namespace, name, of);
            let document = look_after(&known, 60);
            assert_eq!(codes(&document), [(code, name)]);
            assert!(document.top_blockers[0].login_blocking, "{name}");
        }
    }
}

#[test]
fn one_resolver_keeps_everything_from_being_pulled_and_is_told_once() {
    let mut known = Knowledge::default();
    for (namespace, name) in PLATFORM_PARTS {
        let refused = container("main", "img:1", waiting("ImagePullBackOff", STALE_RESOLVER));
        platform_pod(&mut known, namespace, name, refused);
    }
    assert_eq!(look_after(&known, 60).top_blockers.len(), 1);
}

#[test]
fn pods_that_people_run_beside_the_appliance_are_no_blockers() {
    let mut known = healthy();
    let missing = container("main", "img:1", waiting("ImagePullBackOff", MISSING));
    platform_pod(&mut known, "default", "theirs", missing);
    assert!(look_after(&known, 60).top_blockers.is_empty());
}

#[test]
fn the_address_for_people_is_that_of_the_sites_own_values() {
    let mut known = healthy();
    known.values.insert("alga-core".into(), "appUrl: \"http://10.0.0.1:3000\"\n".into());
    assert_eq!(look_after(&known, 60).login_url.as_deref(), Some("http://10.0.0.1:3000"));
    let own = "# ours\nappUrl: https://psa.example.com # through the proxy\n";
    known.site_values.insert("alga-core".into(), own.into());
    assert_eq!(look_after(&known, 60).login_url.as_deref(), Some("https://psa.example.com"));
}

#[test]
fn the_address_is_that_of_the_top_level_whatever_else_the_values_hold() {
    let mut known = healthy();
    let values = "server:\n  appUrl: http://inside\n# appUrl: http://comment\nappUrl: 'https://psa.example.com/#a' # x\n";
    known.values.insert("alga-core".into(), values.into());
    assert_eq!(look(&known).login_url.as_deref(), Some("https://psa.example.com/#a"));
    for nothing in ["server:\n  appUrl: http://inside\n", "appUrl:\n", "appUrl: # later\n", "{{"] {
        known.values.insert("alga-core".into(), nothing.into());
        assert_eq!(look(&known).login_url.as_deref(), Some("http://10.0.2.15:3000"), "{nothing}");
    }
}

#[test]
fn where_reads_fail_the_next_action_names_them() {
    let mut known = Knowledge::default();
    let refused = "403 Forbidden: pods is forbidden";
    known.reads.insert("pods".into(), ReadState::Failed(refused.into()));
    let document = look_after(&known, 3600);
    assert_eq!(document.status, RollupState::Installing);
    assert!(document.next_action.contains("pods (403 Forbidden: pods is forbidden)"));
    assert!(!document.next_action.contains("Wait"));
}

#[test]
fn a_service_that_leads_to_none_of_its_pods_is_told_and_explains_who_waits_for_it() {
    let label = |value: &str| [("app.kubernetes.io/name".to_owned(), value.to_owned())].into();
    let mut known = healthy();
    known.pods.get_mut(&ObjectKey::new("msp", "temporal-0")).unwrap().labels = label("temporal");
    let service = ServiceFact { selector: label("temporal-next") };
    known.services.insert(ObjectKey::new("msp", "temporal-frontend"), service);
    let mut waits = container("temporal-worker", "img:1", running());
    waits.ready = false;
    break_component(&mut known, Component::TemporalWorker, waits);
    assert!(look_after(&known, 29).top_blockers.is_empty());
    let document = look_after(&known, 120);
    assert_eq!(codes(&document), [(Code::BackgroundWorkload, "temporal")]);
    let [blocker] = document.top_blockers.as_slice() else { panic!("{document:#?}") };
    assert!(blocker.reason.contains("app.kubernetes.io/name=temporal-next"), "{}", blocker.reason);
    assert!(blocker.next_action.contains("selector of Service msp/temporal-frontend"));
    assert_eq!(blocker.consequences[0].component, "temporal-worker");
    assert_eq!(document.status, RollupState::ReadyWithBackgroundIssues);
}
