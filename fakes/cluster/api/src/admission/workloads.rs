//! Defaults of the kinds that make pods.

use serde_json::{Value, json};

use super::pods;
use crate::object::{self, child, default, items_mut};

fn template(value: &mut Value) {
    let template = child(child(value, "spec"), "template");
    pods::default_spec(child(template, "spec"));
}

pub(super) fn deployment(value: &mut Value) {
    template(value);
    let spec = child(value, "spec");
    default(spec, "replicas", || json!(1));
    default(spec, "revisionHistoryLimit", || json!(10));
    default(spec, "progressDeadlineSeconds", || json!(600));
    let strategy = child(spec, "strategy");
    default(strategy, "type", || json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        default(rolling, "maxSurge", || json!("25%"));
        default(rolling, "maxUnavailable", || json!("25%"));
    }
}

pub(super) fn replica_set(value: &mut Value) {
    template(value);
    default(child(value, "spec"), "replicas", || json!(1));
}

pub(super) fn stateful_set(value: &mut Value) {
    template(value);
    let spec = child(value, "spec");
    default(spec, "replicas", || json!(1));
    default(spec, "podManagementPolicy", || json!("OrderedReady"));
    default(spec, "revisionHistoryLimit", || json!(10));
    default(
        spec,
        "persistentVolumeClaimRetentionPolicy",
        || json!({"whenDeleted": "Retain", "whenScaled": "Retain"}),
    );
    let strategy = child(spec, "updateStrategy");
    default(strategy, "type", || json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        default(child(strategy, "rollingUpdate"), "partition", || json!(0));
    }
    for claim in items_mut(spec, &["volumeClaimTemplates"]) {
        default(claim, "apiVersion", || json!("v1"));
        default(claim, "kind", || json!("PersistentVolumeClaim"));
        default(child(claim, "spec"), "volumeMode", || json!("Filesystem"));
        default(child(claim, "status"), "phase", || json!("Pending"));
    }
}

pub(super) fn daemon_set(value: &mut Value) {
    template(value);
    let spec = child(value, "spec");
    default(spec, "revisionHistoryLimit", || json!(10));
    let strategy = child(spec, "updateStrategy");
    default(strategy, "type", || json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        default(rolling, "maxSurge", || json!(0));
        default(rolling, "maxUnavailable", || json!(1));
    }
}

pub(super) fn job(value: &mut Value) {
    template(value);
    job_spec(child(value, "spec"));
}

fn job_spec(spec: &mut Value) {
    default(spec, "backoffLimit", || json!(6));
    default(spec, "completionMode", || json!("NonIndexed"));
    default(spec, "suspend", || json!(false));
    default(spec, "manualSelector", || json!(false));
    default(spec, "podReplacementPolicy", || json!("TerminatingOrFailed"));
    let work_queue = spec["completions"].is_null() && !spec["parallelism"].is_null();
    default(spec, "parallelism", || json!(1));
    if !work_queue {
        default(spec, "completions", || json!(1));
    }
}

pub(super) fn cron_job(value: &mut Value) {
    let spec = child(value, "spec");
    default(spec, "concurrencyPolicy", || json!("Allow"));
    default(spec, "suspend", || json!(false));
    default(spec, "successfulJobsHistoryLimit", || json!(3));
    default(spec, "failedJobsHistoryLimit", || json!(1));
    template(child(spec, "jobTemplate"));
}

/// A new Job selects its pods by its own identity.
pub(super) fn claim_job(job: &mut Value) {
    let (uid, name) = (object::uid(job).to_owned(), object::name(job).to_owned());
    default(job, "status", || json!({}));
    let spec = child(job, "spec");
    if spec["manualSelector"] == true {
        return;
    }
    let labels = child(child(child(spec, "template"), "metadata"), "labels");
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ] {
        labels[key] = json!(value);
    }
    spec["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
}
