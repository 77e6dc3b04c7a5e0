//! `case.json`: what was run where, and which causes came and went when.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::tape::NAMESPACES;
use crate::fault::{FaultUse, HealStep, ParamValue};
use crate::scenario::{Scenario, file_hash};
use crate::timeline::{Header, Timeline, What};

/// What a recording is of.
pub(crate) struct Description<'a> {
    pub(crate) scenario: &'a Scenario,
    /// Of the run's timeline.
    pub(crate) header: &'a Header,
    /// What happened.
    pub(crate) timeline: &'a Timeline,
    /// What the scenario may begin with without being another.
    pub(crate) opening: Opening,
    /// Why the run ended early, if it did.
    pub(crate) broken: Option<&'a str>,
    /// How long was recorded.
    pub(crate) seconds: f64,
}

/// Where a scenario begins in its recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// With the install.
    Install,
    /// With its first fault: any healthy install will do before.
    Fault,
}

impl Description<'_> {
    /// As JSON; `second` says how many seconds after the recording's beginning a moment was.
    pub(crate) fn json(&self, second: impl Fn(Timestamp) -> f64) -> Value {
        let causes = self.causes(&second);
        let first = causes.iter().filter_map(|cause| cause["atSeconds"].as_f64()).reduce(f64::min);
        let mut told = json!({
            "name": self.scenario.name,
            "scenario": self.scenario.name,
            "scenarioHash": file_hash(self.scenario),
            "world": self.header.world,
            "identity": self.identity(),
            "release": self.header.release,
            "profile": self.header.profile,
            "speed": self.header.speed,
            "seed": self.header.seed,
            "namespaces": NAMESPACES,
            "cause": causes,
            "recordedSeconds": thousandths(self.seconds),
        });
        if self.opening == Opening::Fault {
            told["fromSeconds"] = json!(first);
        }
        if let Some(reason) = self.broken {
            told["broken"] = json!(reason);
        }
        told
    }

    /// What the world said of itself.
    fn identity(&self) -> BTreeMap<String, String> {
        let said = self.timeline.events.iter().rev().find_map(|event| match &event.what {
            What::World { identity } => Some(identity.clone()),
            _ => None,
        });
        said.unwrap_or_default()
    }

    /// Every fault that was set, with its parameters, when it was set and when it was mended.
    fn causes(&self, second: &impl Fn(Timestamp) -> f64) -> Vec<Value> {
        let mut causes = Vec::new();
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            let Some(at) = self.injected(index) else { continue };
            let mut cause = Map::new();
            cause.insert("fault".to_owned(), json!(fault.name()));
            cause.extend(fault.params.0.iter().map(|(name, value)| ((*name).to_owned(), parameter(value))));
            cause.insert("atSeconds".to_owned(), json!(thousandths(second(at))));
            if let Some(until) = self.mended(fault, at) {
                cause.insert("untilSeconds".to_owned(), json!(thousandths(second(until))));
            }
            causes.push(Value::Object(cause));
        }
        causes
    }

    fn injected(&self, wanted: usize) -> Option<Timestamp> {
        let injected = |what: &What| matches!(what, What::Injected { index, .. } if *index == wanted);
        self.timeline.events.iter().find(|event| injected(&event.what)).map(|event| event.at)
    }

    /// When something was done that takes this fault away.
    fn mended(&self, fault: &FaultUse, since: Timestamp) -> Option<Timestamp> {
        let done = self.timeline.events.iter().filter(|event| event.at >= since);
        let mends = |what: &What| match what {
            What::Healed { step } => {
                self.scenario.heal.iter().any(|heal| heal.to_string() == *step && fits(heal, fault))
            }
            What::Acted { act } => {
                self.scenario.acts.iter().any(|it| it.to_string() == *act && fits(&it.step, fault))
            }
            _ => false,
        };
        done.into_iter().find(|event| mends(&event.what)).map(|event| event.at)
    }
}

/// Whether a step takes a fault away: a verb for it, about the same.
fn fits(step: &HealStep, fault: &FaultUse) -> bool {
    let same = |(name, value): (&&str, &ParamValue)| fault.params.0.get(name).is_none_or(|it| it == value);
    fault.kind.healed_by.contains(&step.name()) && step.params.0.iter().all(same)
}

fn parameter(value: &ParamValue) -> Value {
    match value {
        ParamValue::Number(number) => json!(number),
        ParamValue::Text(_) | ParamValue::Duration(_) => json!(value.to_string()),
    }
}

fn thousandths(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::read;
    use crate::timeline::{Event, VERSION};

    const SCENARIO: &str = "name: a\nstory: A test wrote it.\nfaults:
  - registry.missing-tag: { image: workflow-worker }
  - { registry.missing-tag: { image: email-service }, at: fully-healthy }
expect: { eventually: { rollup: ready_with_background_issues } }
heal:
  - registry.publish-tag: { image: email-service }
recovers: { rollup: ready_with_background_issues }
";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn described(opening: Opening, broken: Option<&str>) -> Value {
        let scenario = read(Path::new("a.yaml"), SCENARIO).unwrap();
        let text = |index: usize| scenario.faults[index].to_string();
        let identity = [("kubelet".to_owned(), "v1.34.4".to_owned())].into();
        let events = [
            (1, What::Injected { index: 0, fault: text(0) }),
            (60, What::Injected { index: 1, fault: text(1) }),
            (90, What::Healed { step: scenario.heal[0].to_string() }),
            (95, What::World { identity }),
        ];
        let events = events.map(|(second, what)| Event { at: at(second), what }).to_vec();
        let header = Header {
            version: VERSION,
            scenario: "a".to_owned(),
            world: "kind".to_owned(),
            release: "1.0-rc5".to_owned(),
            profile: "single-node".to_owned(),
            speed: "1".to_owned(),
            seed: 1,
            login_url: None,
            claims: None,
        };
        let timeline = &Timeline { events };
        let description =
            Description { scenario: &scenario, header: &header, timeline, opening, broken, seconds: 96.0004 };
        description.json(|moment| moment.duration_since(at(0)).as_secs_f64())
    }

    #[test]
    fn a_cause_has_its_parameters_and_ends_when_its_own_heal_is_done() {
        let told = described(Opening::Install, None);
        assert_eq!(
            told["cause"],
            json!([
                { "fault": "registry.missing-tag", "image": "workflow-worker", "atSeconds": 1.0 },
                { "fault": "registry.missing-tag", "image": "email-service", "atSeconds": 60.0, "untilSeconds": 90.0 },
            ])
        );
        assert_eq!((&told["world"], &told["identity"]["kubelet"]), (&json!("kind"), &json!("v1.34.4")));
        assert_eq!(told["recordedSeconds"], 96.0);
        assert!(told.get("fromSeconds").is_none() && told.get("broken").is_none(), "{told:#}");
    }

    #[test]
    fn a_scenario_that_any_healthy_install_will_do_for_begins_with_its_first_fault() {
        let told = described(Opening::Fault, Some("interrupted"));
        assert_eq!((&told["fromSeconds"], &told["broken"]), (&json!(1.0), &json!("interrupted")));
    }
}
