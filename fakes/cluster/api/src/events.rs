//! Events, recorded and counted as Kubernetes components do.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kinds::EVENTS;
use crate::{Store, object};

/// Different messages of one reason within [`INTERVAL`], before they are told as one.
const SIMILAR: usize = 10;
/// Seconds after which similar events are no longer similar.
const INTERVAL: f64 = 600.0;
/// Events about one object that may come in a burst, and the seconds until one more may come.
const BURST: f64 = 25.0;
const REFILL: f64 = 300.0;

/// Records events about objects in the name of a component; clones count together.
#[derive(Clone, Debug)]
pub struct Recorder {
    store: Store,
    component: String,
    host: String,
    field_path: String,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<String, Known>,
    similar: HashMap<String, Similar>,
    budgets: HashMap<String, Budget>,
    serial: i64,
}

#[derive(Debug)]
struct Known {
    namespace: String,
    name: String,
}

#[derive(Debug)]
struct Similar {
    messages: HashSet<String>,
    last: Timestamp,
}

#[derive(Debug)]
struct Budget {
    left: f64,
    at: Timestamp,
}

impl Recorder {
    /// A recorder of a component.
    pub fn new(store: &Store, component: &str) -> Self {
        Self {
            store: store.clone(),
            component: component.to_owned(),
            host: String::new(),
            field_path: String::new(),
            memory: Arc::default(),
        }
    }

    /// The same recorder, speaking from a host (a kubelet's node).
    #[must_use]
    pub fn on(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// The same recorder, speaking about a part of the object, e.g. `spec.containers{db}`.
    #[must_use]
    pub fn at(&self, field_path: &str) -> Self {
        Self { field_path: field_path.to_owned(), ..self.clone() }
    }

    /// Records a `Normal` event.
    pub fn normal(&self, object: &Value, reason: &str, message: &str) {
        self.record(object, "Normal", reason, message);
    }

    /// Records a `Warning` event.
    pub fn warning(&self, object: &Value, reason: &str, message: &str) {
        self.record(object, "Warning", reason, message);
    }

    fn record(&self, about: &Value, kind: &str, reason: &str, message: &str) {
        let now = self.store.clock().now();
        let namespace = match object::namespace(about) {
            "" => "default",
            namespace => namespace,
        };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let subject =
            format!("{}|{}|{}|{}", self.component, self.host, object::uid(about), object::name(about));
        let family = format!("{subject}|{kind}|{reason}");
        let single = format!("{family}|{}|{message}", self.field_path);
        let (key, message) = memory.correlate(family, single, message, now);
        if !memory.may_speak(subject, now) {
            return;
        }
        if let Some(known) = memory.known.get(&key) {
            let stamp = json!(object::timestamp(now));
            let counted = self.store.modify(&EVENTS, &known.namespace, &known.name, |event| {
                event["count"] = json!(event["count"].as_i64().unwrap_or(1) + 1);
                event["lastTimestamp"] = stamp;
                event["message"] = json!(message);
            });
            if counted.is_ok() {
                return;
            }
        }
        if let Some(name) = self.create(&mut memory, about, namespace, [kind, reason, &message], now) {
            memory.known.insert(key, Known { namespace: namespace.to_owned(), name });
        }
    }

    fn create(
        &self,
        memory: &mut Memory,
        about: &Value,
        namespace: &str,
        [kind, reason, message]: [&str; 3],
        now: Timestamp,
    ) -> Option<String> {
        let stamp = object::timestamp(now);
        memory.serial += 1;
        let serial = now.as_nanosecond() + i128::from(memory.serial);
        let name = format!("{}.{serial:x}", object::name(about));
        let mut involved = json!({"kind": about["kind"]});
        for (field, value) in [
            ("namespace", object::namespace(about)),
            ("name", object::name(about)),
            ("uid", object::uid(about)),
            ("apiVersion", about["apiVersion"].as_str().unwrap_or("")),
            ("resourceVersion", object::resource_version(about)),
            ("fieldPath", &self.field_path),
        ] {
            if !value.is_empty() {
                involved[field] = json!(value);
            }
        }
        let mut source = json!({"component": self.component});
        if !self.host.is_empty() {
            source["host"] = json!(self.host);
        }
        let event = json!({
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved, "reason": reason, "message": message, "source": source,
            "firstTimestamp": stamp, "lastTimestamp": stamp, "count": 1, "type": kind, "eventTime": null,
            "reportingComponent": self.component, "reportingInstance": self.host,
        });
        self.store.create(&EVENTS, event).ok().map(|_| name)
    }
}

impl Memory {
    /// The key under which an event is counted, and the message it carries.
    fn correlate(
        &mut self,
        family: String,
        single: String,
        message: &str,
        now: Timestamp,
    ) -> (String, String) {
        let similar = self
            .similar
            .entry(family.clone())
            .or_insert_with(|| Similar { messages: HashSet::new(), last: now });
        if seconds(similar.last, now) > INTERVAL {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(message.to_owned());
        if similar.messages.len() < SIMILAR {
            return (single, message.to_owned());
        }
        similar.messages.remove(message);
        (family, format!("(combined from similar events): {message}"))
    }

    /// Whether an object's budget has room for one more event.
    fn may_speak(&mut self, subject: String, now: Timestamp) -> bool {
        let budget = self.budgets.entry(subject).or_insert(Budget { left: BURST, at: now });
        budget.left = (budget.left + seconds(budget.at, now) / REFILL).min(BURST);
        budget.at = now;
        if budget.left < 1.0 {
            return false;
        }
        budget.left -= 1.0;
        true
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use field_clock::Clock;

    fn pod() -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "default", "uid": "u"}})
    }

    #[test]
    fn the_same_event_is_counted_and_a_different_one_is_new() {
        let store = Store::new(Clock::wall());
        let recorder = Recorder::new(&store, "kubelet").on("node");
        recorder.warning(&pod(), "BackOff", "again");
        recorder.warning(&pod(), "BackOff", "again");
        recorder.at("spec.containers{db}").warning(&pod(), "BackOff", "again");
        let events = store.list(&EVENTS, None);
        let counts: Vec<i64> = events.iter().map(|event| event["count"].as_i64().unwrap()).collect();
        assert_eq!(counts, [2, 1]);
        assert_eq!(events[0]["eventTime"], Value::Null);
        assert_eq!(events[1]["involvedObject"]["fieldPath"], "spec.containers{db}");
    }

    #[test]
    fn an_object_that_talks_too_much_goes_silent() {
        let store = Store::new(Clock::wall());
        let recorder = Recorder::new(&store, "kubelet");
        for _ in 0..40 {
            recorder.warning(&pod(), "Unhealthy", "probe failed");
        }
        assert_eq!(store.list(&EVENTS, None)[0]["count"], 25);
    }

    #[test]
    fn many_different_messages_become_one_event() {
        let store = Store::new(Clock::wall());
        let recorder = Recorder::new(&store, "kubelet");
        for number in 0..15 {
            recorder.warning(&pod(), "Failed", &format!("port {number}"));
        }
        let events = store.list(&EVENTS, None);
        assert_eq!(events.len(), 10);
        assert!(events.iter().any(|event| event["message"] == "(combined from similar events): port 14"));
    }
}
