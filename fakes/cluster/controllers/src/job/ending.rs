//! How a Job ends: limits, deadlines, success, and its removal afterwards.

use cluster_api::{Propagation, kinds, object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::tally::Tally;
use super::{Jobs, Pods};
use crate::conditions::{Condition, is_true, of_job};
use crate::control::{Next, moment, note, seconds};

impl Jobs {
    /// The condition that decides the Job, once it is decided.
    pub(super) fn verdict(&self, job: &Value, tally: &Tally, pods: &Pods) -> Option<Value> {
        let now = self.store.clock().now();
        if let Some((reason, message)) = failure(job, tally, pods, now) {
            let message = message.to_owned();
            return Some(of_job(&Condition { kind: "FailureTarget", status: "True", reason, message }, now));
        }
        let complete = match job["spec"]["completions"].as_i64() {
            Some(completions) => tally.succeeded() >= completions,
            None => tally.succeeded() > 0 && pods.active.is_empty(),
        };
        complete.then(|| {
            let message = "Reached expected number of succeeded pods".to_owned();
            let met = Condition {
                kind: "SuccessCriteriaMet",
                status: "True",
                reason: "CompletionsReached",
                message,
            };
            of_job(&met, now)
        })
    }

    /// Adds the final condition when no pod is left.
    pub(super) fn finish(&self, job: &Value, pods: &Pods) {
        if !pods.active.is_empty() || pods.terminating > 0 {
            return;
        }
        let (namespace, name) = (object::namespace(job), object::name(job));
        let Some(job) = self.store.get(&kinds::JOBS, namespace, name) else { return };
        let Some((decided, kind)) = [("FailureTarget", "Failed"), ("SuccessCriteriaMet", "Complete")]
            .into_iter()
            .find_map(|(target, kind)| Some((object::condition(&job, target)?, kind)))
        else {
            return;
        };
        let now = self.store.clock().now();
        let reason = decided["reason"].as_str().unwrap_or_default();
        let message = decided["message"].as_str().unwrap_or_default().to_owned();
        let last = of_job(&Condition { kind, status: "True", reason, message: message.clone() }, now);
        let outcome = self.store.modify(&kinds::JOBS, namespace, name, |job| {
            let status = object::child(job, "status");
            if kind == "Complete" {
                status["completionTime"] = json!(object::timestamp(now));
            }
            add_conditions(status, vec![last]);
        });
        note("finish a Job", outcome);
        if kind == "Complete" {
            self.events.normal(&job, "Completed", "Job completed");
        } else {
            self.events.warning(&job, reason, &message);
        }
    }

    /// Deletes a finished Job when its time to live is over.
    pub(super) fn expire(&self, job: &Value) -> Next {
        let ended = ["Complete", "Failed"].into_iter().find_map(|kind| object::condition(job, kind));
        let ended = ended.and_then(|condition| moment(&condition["lastTransitionTime"]));
        let (Some(ended), Some(ttl)) = (ended, seconds(&job["spec"]["ttlSecondsAfterFinished"])) else {
            return Next::Change;
        };
        if object::is_deleting(job) {
            return Next::Change;
        }
        if ended + ttl > self.store.clock().now() {
            return Next::At(ended + ttl);
        }
        let outcome = self.store.delete(
            &kinds::JOBS,
            object::namespace(job),
            object::name(job),
            Propagation::Foreground,
        );
        note("delete a Job whose time is over", outcome);
        Next::Change
    }
}

fn failure(job: &Value, tally: &Tally, pods: &Pods, now: Timestamp) -> Option<(&'static str, &'static str)> {
    let limit = job["spec"]["backoffLimit"].as_i64().unwrap_or(6);
    let restarts =
        if job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure" { pods.restarts() } else { 0 };
    let restarted_out = if limit == 0 { restarts > 0 } else { restarts >= limit };
    if tally.failed() > limit || restarted_out {
        return Some(("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    }
    match deadline(job) {
        Next::At(moment) if moment <= now => {
            Some(("DeadlineExceeded", "Job was active longer than specified deadline"))
        }
        _ => None,
    }
}

/// When `activeDeadlineSeconds` will have passed.
pub(super) fn deadline(job: &Value) -> Next {
    let limit = seconds(&job["spec"]["activeDeadlineSeconds"]);
    match (limit, moment(&job["status"]["startTime"])) {
        (Some(limit), Some(start)) if job["spec"]["suspend"] != true => Next::At(start + limit),
        _ => Next::Change,
    }
}

/// The condition `Suspended` when it has to change.
pub(super) fn suspension(job: &Value, now: Timestamp) -> Option<Value> {
    let wanted = job["spec"]["suspend"] == true;
    if wanted == is_true(job, "Suspended") {
        return None;
    }
    let (status, reason, message) = if wanted {
        ("True", "JobSuspended", "Job suspended")
    } else {
        ("False", "JobResumed", "Job resumed")
    };
    Some(of_job(&Condition { kind: "Suspended", status, reason, message: message.to_owned() }, now))
}

/// Adds conditions to a status, each in place of an older one of its type.
pub(super) fn add_conditions(status: &mut Value, added: Vec<Value>) {
    if added.is_empty() {
        return;
    }
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    for condition in added {
        conditions.retain(|old| old["type"] != condition["type"]);
        conditions.push(condition);
    }
    status["conditions"] = json!(conditions);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_restarted_as_often_as_the_limit_fails_the_job() {
        let job = json!({"spec": {"backoffLimit": 1, "template": {"spec": {"restartPolicy": "OnFailure"}}}});
        let pod = json!({"status": {"phase": "Running", "containerStatuses": [{"restartCount": 1}]}});
        let pods = Pods { active: vec![std::sync::Arc::new(pod)], terminating: 0 };
        let verdict = failure(&job, &Tally::of(&job), &pods, Timestamp::UNIX_EPOCH);
        assert_eq!(verdict.map(|v| v.0), Some("BackoffLimitExceeded"));
    }
}
