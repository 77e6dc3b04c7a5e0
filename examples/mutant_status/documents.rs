//! Status documents: what was seen of them, and how they are changed.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

/// What a mutant remembers.
#[derive(Default)]
pub(crate) struct Memory {
    /// Documents with their times, the oldest first.
    seen: VecDeque<(Timestamp, Value)>,
    first: Option<(Timestamp, Value)>,
    /// How often it has said something.
    pub(crate) told: u32,
    /// When something began that is to end.
    pub(crate) since: Option<Timestamp>,
    /// A blocker that is not forgotten.
    pub(crate) blockers: Option<Value>,
}

/// Nobody asks for what is older, in seconds.
const OLDEST: i64 = 300;

impl Memory {
    /// Takes in what the real service says; without a time it has not looked yet.
    pub(crate) fn keep(&mut self, document: &Value) {
        let Some(at) = time(document) else { return };
        self.first.get_or_insert_with(|| (at, document.clone()));
        if self.seen.back().is_none_or(|(last, _)| *last < at) {
            self.seen.push_back((at, document.clone()));
        }
        while self.seen.front().is_some_and(|(then, _)| seconds(*then, at) > OLDEST) && self.seen.len() > 1 {
            self.seen.pop_front();
        }
    }

    /// How long it has been looking, in seconds of the appliance's time.
    pub(crate) fn age(&self) -> i64 {
        match (&self.first, self.seen.back()) {
            (Some((first, _)), Some((last, _))) => seconds(*first, *last),
            _ => 0,
        }
    }

    /// The first document.
    pub(crate) fn first(&self) -> Option<&Value> {
        self.first.as_ref().map(|(_, document)| document)
    }

    /// What was said so many seconds ago; nothing where it did not look yet.
    pub(crate) fn ago(&self, age: i64) -> Option<&Value> {
        let (now, _) = self.seen.back()?;
        let old = self.seen.iter().rev().find(|(then, _)| seconds(*then, *now) >= age);
        old.map(|(_, document)| document)
    }
}

/// When a document was made.
pub(crate) fn time(document: &Value) -> Option<Timestamp> {
    document["timestamp"].as_str()?.parse().ok()
}

pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// The document with another state, said in every place that names it.
pub(crate) fn with_state(mut document: Value, state: &str, message: &str) -> Value {
    document["status"] = json!(state);
    document["currentPhase"] = json!(state);
    document["rollup"]["state"] = json!(state);
    document["rollup"]["message"] = json!(message);
    document
}

pub(crate) fn state(document: &Value) -> &str {
    document["rollup"]["state"].as_str().unwrap_or_default()
}

pub(crate) fn with_tier(mut document: Value, tier: &str, ready: bool) -> Value {
    let status = if ready { "healthy" } else { "degraded" };
    document["tiers"][tier] = json!({ "ready": ready, "status": status });
    document
}

pub(crate) fn is_ready(document: &Value, tier: &str) -> bool {
    document["tiers"][tier]["ready"].as_bool().unwrap_or_default()
}

/// Whether a component is ready.
pub(crate) fn has(document: &Value, name: &str) -> bool {
    let mut components = document["components"].as_array().into_iter().flatten();
    components.any(|it| it["name"] == name && it["ready"] == json!(true))
}

/// The document without the blockers whose code begins so; what followed from them stands alone.
pub(crate) fn without(mut document: Value, begin: &str) -> Value {
    let consequence = promoted(&document);
    let Some(blockers) = document["topBlockers"].as_array_mut() else { return document };
    let before = blockers.len();
    blockers.retain(|it| !it["code"].as_str().is_some_and(|code| code.starts_with(begin)));
    if blockers.len() < before {
        blockers.extend(consequence);
    }
    document
}

/// Every top blocker, changed.
pub(crate) fn each_blocker(mut document: Value, change: impl Fn(&mut Value)) -> Value {
    document["topBlockers"].as_array_mut().into_iter().flatten().for_each(change);
    document
}

/// The document with one more blocker, in front of the others or behind them.
pub(crate) fn with_blocker(mut document: Value, place: Place, blocker: Value) -> Value {
    if let Some(blockers) = document["topBlockers"].as_array_mut() {
        let index = if place == Place::First { 0 } else { blockers.len() };
        blockers.insert(index, blocker);
    }
    document
}

#[derive(PartialEq, Eq, Clone, Copy)]
pub(crate) enum Place {
    First,
    Last,
}

/// A blocker that looks as if it were one.
pub(crate) fn blocker(code: &str, component: &str, layer: &str) -> Value {
    json!({
        "code": code, "severity": "background", "component": component, "layer": layer,
        "reason": format!("{component} is not ready: exit code 1"), "nextAction": "Inspect the named container's log.",
        "loginBlocking": false, "consequences": [],
    })
}

/// The first blocker's first consequence, as a blocker of its own.
pub(crate) fn promoted(document: &Value) -> Option<Value> {
    let consequence = document["topBlockers"].get(0)?["consequences"].get(0)?;
    let code = consequence["code"].as_str().unwrap_or_default();
    let component = consequence["component"].as_str().unwrap_or_default();
    Some(blocker(code, component, "workload readiness failure"))
}
