//! Jobs: pods that run to their end, counted.

mod ending;
mod tally;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cluster_api::events::Recorder;
use cluster_api::{Propagation, Store, kinds, object};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::conditions::is_true;
use crate::control::{Controller, Next, Reconcile, controlled, int, moment, note, own, owner_of, put_count};
use crate::pods;
use crate::queue::Key;
use tally::Tally;

/// Pod changes are collected for a second before a Job is looked at.
const BATCH: Duration = Duration::from_secs(1);

struct Jobs {
    store: Store,
    events: Recorder,
    tallies: HashMap<Key, Tally>,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    Controller::new(store, stop)
        .watch(&kinds::JOBS, own)
        .watch_after(&kinds::PODS, BATCH, owner_of("Job"))
        .run(Jobs {
            store: store.clone(),
            events: Recorder::new(store, "job-controller"),
            tallies: HashMap::new(),
        });
}

/// A Job's pods as they are now.
struct Pods {
    active: Vec<Arc<Value>>,
    terminating: i64,
}

impl Pods {
    fn count(&self) -> i64 {
        i64::try_from(self.active.len()).unwrap_or(i64::MAX)
    }

    fn ready(&self) -> i64 {
        i64::try_from(self.active.iter().filter(|pod| pods::is_ready(pod)).count()).unwrap_or(i64::MAX)
    }

    /// How often the containers of the active pods were started again.
    fn restarts(&self) -> i64 {
        let containers = |pod: &Value, field: &str| -> i64 {
            pod["status"][field]
                .as_array()
                .map_or(0, |list| list.iter().map(|c| int(&c["restartCount"])).sum())
        };
        self.active
            .iter()
            .map(|pod| containers(pod, "containerStatuses") + containers(pod, "initContainerStatuses"))
            .sum()
    }
}

impl Reconcile for Jobs {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(job) = self.store.get(&kinds::JOBS, &key.namespace, &key.name) else {
            self.tallies.remove(key);
            return Next::Change;
        };
        if is_true(&job, "Complete") || is_true(&job, "Failed") {
            return self.expire(&job);
        }
        if object::is_deleting(&job) {
            return Next::Change;
        }
        let mut tally =
            self.tallies.remove(key).filter(|tally| tally.is_of(&job)).unwrap_or_else(|| Tally::of(&job));
        let next = self.sync(&job, &mut tally);
        self.tallies.insert(key.clone(), tally);
        next
    }
}

impl Jobs {
    fn sync(&self, job: &Value, tally: &mut Tally) -> Next {
        let owned = controlled(&self.store, &kinds::PODS, job);
        let suspended = job["spec"]["suspend"] == true;
        for pod in &owned {
            tally.count(pod);
        }
        let mut pods = Pods {
            active: owned.iter().filter(|pod| pods::is_active(pod)).cloned().collect(),
            terminating: i64::try_from(
                owned.iter().filter(|p| object::is_deleting(p) && !pods::is_finished(p)).count(),
            )
            .unwrap_or(i64::MAX),
        };
        let mut next = Next::Change;
        let mut begun = Vec::new();
        if is_true(job, "FailureTarget") || is_true(job, "SuccessCriteriaMet") {
            self.delete_active(job, &mut pods);
        } else if let Some(condition) = self.verdict(job, tally, &pods) {
            let fails = condition["type"] == "FailureTarget";
            for pod in &pods.active {
                if fails { tally.fail(pod) } else { tally.ignore(pod) }
            }
            self.delete_active(job, &mut pods);
            begun.push(condition);
        } else if suspended {
            for pod in &pods.active {
                tally.ignore(pod);
            }
            self.delete_active(job, &mut pods);
        } else {
            next = self.create_missing(job, tally, &mut pods).or(ending::deadline(job));
        }
        self.write(job, tally, &pods, begun);
        self.finish(job, &pods);
        next
    }

    fn delete_active(&self, job: &Value, pods: &mut Pods) {
        for pod in std::mem::take(&mut pods.active) {
            let name = object::name(&pod);
            if self.store.delete(&kinds::PODS, object::namespace(&pod), name, Propagation::Background).is_ok()
            {
                self.events.normal(job, "SuccessfulDelete", &format!("Deleted pod: {name}"));
            }
            if self.store.get(&kinds::PODS, object::namespace(&pod), name).is_some() {
                pods.terminating += 1;
            }
        }
    }

    fn create_missing(&self, job: &Value, tally: &Tally, pods: &mut Pods) -> Next {
        let parallel = job["spec"]["parallelism"].as_i64().unwrap_or(1);
        let open = match job["spec"]["completions"].as_i64() {
            Some(completions) => completions - tally.succeeded(),
            None if tally.succeeded() > 0 => 0,
            None => parallel,
        };
        let missing = parallel.min(open) - pods.count();
        if missing <= 0 {
            return Next::Change;
        }
        let now = self.store.clock().now();
        if let Some(moment) = tally.next_try()
            && moment > now
        {
            return Next::At(moment);
        }
        for _ in 0..missing {
            let mut pod = pods::from_template(job, &job["spec"]["template"]);
            pod["metadata"]["generateName"] = json!(format!("{}-", object::name(job)));
            for (label, value) in [
                ("batch.kubernetes.io/controller-uid", object::uid(job)),
                ("batch.kubernetes.io/job-name", object::name(job)),
                ("controller-uid", object::uid(job)),
                ("job-name", object::name(job)),
            ] {
                object::set_label(&mut pod, label, value);
            }
            match self.store.create(&kinds::PODS, pod) {
                Ok(pod) => {
                    self.events.normal(
                        job,
                        "SuccessfulCreate",
                        &format!("Created pod: {}", object::name(&pod)),
                    );
                    pods.active.push(pod);
                }
                Err(error) => {
                    self.events.warning(job, "FailedCreate", &format!("Error creating: {error}"));
                    return Next::At(now + Duration::from_secs(10));
                }
            }
        }
        Next::Change
    }

    /// Ended pods are first written down as uncounted, and no more active; the next write counts them.
    fn uncount(&self, job: &Value, tally: &Tally, pods: &Pods, begun: &[Value]) {
        let counted = (int(&job["status"]["succeeded"]), int(&job["status"]["failed"]));
        if counted == (tally.succeeded(), tally.failed()) {
            return;
        }
        let outcome = self.store.modify(&kinds::JOBS, object::namespace(job), object::name(job), |job| {
            let status = object::child(job, "status");
            put_count(status, "active", pods.count());
            status["ready"] = pods.ready().into();
            status["terminating"] = pods.terminating.into();
            ending::add_conditions(status, begun.to_vec());
        });
        note("write down the ended pods of a Job", outcome);
    }

    fn write(&self, job: &Value, tally: &Tally, pods: &Pods, begun: Vec<Value>) {
        let now = self.store.clock().now();
        let suspended = job["spec"]["suspend"] == true;
        let suspension = ending::suspension(job, now);
        if let Some(condition) = &suspension {
            let (reason, message) =
                if suspended { ("Suspended", "Job suspended") } else { ("Resumed", "Job resumed") };
            debug_assert!(condition["type"] == "Suspended");
            self.events.normal(job, reason, message);
        }
        self.uncount(job, tally, pods, &begun);
        let outcome = self.store.modify(&kinds::JOBS, object::namespace(job), object::name(job), |job| {
            let status = object::child(job, "status");
            if suspended {
                status.as_object_mut().map(|status| status.shift_remove("startTime"));
            } else if moment(&status["startTime"]).is_none() {
                status["startTime"] = json!(object::timestamp(now));
            }
            put_count(status, "active", pods.count());
            status["ready"] = pods.ready().into();
            status["terminating"] = pods.terminating.into();
            put_count(status, "failed", tally.failed());
            put_count(status, "succeeded", tally.succeeded());
            status["uncountedTerminatedPods"] = json!({});
            let added: Vec<Value> = suspension.into_iter().chain(begun).collect();
            ending::add_conditions(status, added);
        });
        note("write the status of a Job", outcome);
    }
}
