//! Jobs to their end, and beyond it.

mod cluster;

use cluster::{World, condition, template};
use cluster_api::{Store, kinds, object};
use serde_json::{Value, json};

fn job(image: &str, restart: &str, more: Value) -> Value {
    let mut template = template(image);
    template["spec"]["restartPolicy"] = json!(restart);
    let mut job =
        json!({"metadata": {"name": "bootstrap", "namespace": "default"}, "spec": {"template": template}});
    for (field, value) in more.as_object().into_iter().flatten() {
        job["spec"][field] = value.clone();
    }
    job
}

fn conditions(job: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
    list.iter().map(|condition| (text(&condition["type"]), text(&condition["reason"]))).collect()
}

fn has(kind: &'static str) -> impl Fn(&Store) -> bool {
    move |store| {
        store
            .get(&kinds::JOBS, "default", "bootstrap")
            .is_some_and(|job| object::condition(&job, kind).is_some())
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_job_that_fails_is_tried_again_ten_seconds_later_and_then_given_up() {
    let world = World::start();
    let start = world.clock.now();
    world.create(&kinds::JOBS, job("fails", "Never", json!({"backoffLimit": 1})));
    world.until("the Job has failed", has("Failed"));
    let job = world.get(&kinds::JOBS, "bootstrap");
    let reason = "BackoffLimitExceeded";
    assert_eq!(conditions(&job), pairs(&[("FailureTarget", reason), ("Failed", reason)]));
    assert_eq!((&job["status"]["failed"], &job["status"]["ready"]), (&json!(2), &json!(0)));
    assert!(job["status"].get("completionTime").is_none());
    let took = world.clock.now().duration_since(start).as_secs_f64();
    assert!((11.0..16.0).contains(&took), "{took}");
    assert_eq!(world.pods().len(), 2, "failed pods stay");
    let events = world.events("Job", "bootstrap");
    let last = (reason.to_owned(), "Job has reached the specified backoff limit".to_owned());
    assert_eq!(events.last(), Some(&last));
    assert_eq!(events.iter().filter(|(reason, _)| reason == "SuccessfulCreate").count(), 2);
}

#[test]
fn a_job_that_restarts_its_pod_too_often_deletes_it() {
    let world = World::start();
    world.create(&kinds::JOBS, job("restarts", "OnFailure", json!({"backoffLimit": 1})));
    world.until("the Job has failed", has("Failed"));
    assert_eq!(world.get(&kinds::JOBS, "bootstrap")["status"]["failed"], 1);
    world.until("the pod is gone", |store| store.list(&kinds::PODS, Some("default")).is_empty());
    let reasons: Vec<String> =
        world.events("Job", "bootstrap").into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, ["SuccessfulCreate", "SuccessfulDelete", "BackoffLimitExceeded"]);
}

#[test]
fn a_job_that_succeeds_is_removed_with_its_pods_when_its_time_is_over() {
    let world = World::start();
    world.create(&kinds::JOBS, job("ends", "Never", json!({"ttlSecondsAfterFinished": 300})));
    world.until("the Job is complete", has("Complete"));
    let job = world.get(&kinds::JOBS, "bootstrap");
    let reason = "CompletionsReached";
    assert_eq!(conditions(&job), pairs(&[("SuccessCriteriaMet", reason), ("Complete", reason)]));
    assert!(job["status"]["completionTime"].is_string());
    assert_eq!(
        world.events("Job", "bootstrap").last(),
        Some(&("Completed".to_owned(), "Job completed".to_owned()))
    );
    let done = world.clock.now();
    world.until("the Job is gone", |store| store.get(&kinds::JOBS, "default", "bootstrap").is_none());
    let took = world.clock.now().duration_since(done).as_secs();
    assert!((298..=302).contains(&took), "{took}");
    world.until("its pod is gone too", |store| store.list(&kinds::PODS, Some("default")).is_empty());
}

#[test]
fn a_job_that_hangs_fails_at_its_deadline_and_only_when_its_pod_is_gone() {
    let world = World::start();
    world.create(&kinds::JOBS, job("waits", "Never", json!({"activeDeadlineSeconds": 25})));
    world.until("the deadline is over", has("FailureTarget"));
    let job = world.get(&kinds::JOBS, "bootstrap");
    assert_eq!(job["status"]["failed"], 1, "counted at once");
    assert_eq!(condition(&job, "Failed").0, "absent", "the pod is still there");
    world.until("the Job has failed", has("Failed"));
    let last = ("DeadlineExceeded".to_owned(), "Job was active longer than specified deadline".to_owned());
    assert_eq!(world.events("Job", "bootstrap").last(), Some(&last));
}

#[test]
fn a_job_whose_pod_never_starts_is_active_for_ever() {
    let world = World::start();
    world.create(&kinds::JOBS, job("waits", "Never", json!({"backoffLimit": 0})));
    world.pass(3600);
    let job = world.get(&kinds::JOBS, "bootstrap");
    assert_eq!(job["status"]["active"], 1);
    assert!(conditions(&job).is_empty());
}

#[test]
fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let world = World::start();
    world.create(&kinds::JOBS, job("ends", "Never", json!({"suspend": true})));
    world.until("it is suspended", has("Suspended"));
    assert!(world.pods().is_empty());
    world
        .store
        .modify(&kinds::JOBS, "default", "bootstrap", |job| job["spec"]["suspend"] = json!(false))
        .expect("it is there");
    world.until("the Job is complete", has("Complete"));
    assert!(world.get(&kinds::JOBS, "bootstrap")["status"].get("failed").is_none());
}
