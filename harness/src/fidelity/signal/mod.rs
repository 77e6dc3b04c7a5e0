//! Signals: what a person or a program can tell from what a cluster said, one step each.

mod events;
mod flux;
mod logs;
mod pods;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::normal::Normaliser;
use crate::recording::Stream;

/// What sort of signal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// An Event that was not there before.
    Event,
    /// A container's state changed.
    Container,
    /// A condition changed.
    Condition,
    /// Anything else of a status changed.
    Status,
    /// A line in a log.
    Log,
    /// The API refused something.
    Refusal,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Event, Self::Container, Self::Condition, Self::Status, Self::Log, Self::Refusal];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "events",
            Self::Container => "containers",
            Self::Condition => "conditions",
            Self::Status => "status",
            Self::Log => "log lines",
            Self::Refusal => "refusals",
        }
    }
}

/// One step of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its sort.
    pub class: Class,
    /// Kind and normalised name, `#2` for the second of that name.
    pub object: String,
    /// Who says it, and of what: one component, one condition, one container. Signals of one track come in an order that
    /// means something; two actors that speak of the same object come in any.
    pub track: String,
    /// Everything else, normalised.
    pub words: String,
    /// Seconds since the case began; not compared.
    pub at: f64,
}

impl Eq for Signal {}

impl Signal {
    /// Whether both say the same of the same object.
    pub fn says(&self, other: &Self) -> bool {
        self.class == other.class && self.words == other.words
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.class.name(), self.object, self.words)
    }
}

/// All signals of a stream.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// In the order in which they came, for each object.
    pub by_object: BTreeMap<String, Vec<Signal>>,
    /// How many lines the stream had, before any of this.
    pub raw: usize,
}

impl Signals {
    /// Reads a stream; `namespaces` are those of the case.
    pub fn of(stream: &Stream, case: &str, namespaces: &[String]) -> Self {
        let normal = Normaliser::of(stream, case, namespaces);
        let mut reader = Reader { normal, ..Reader::default() };
        for line in &stream.lines {
            reader.line(line.at, &line.event);
        }
        for look in logs::said(stream) {
            let object = reader.object("Pod", &look.pod);
            reader.say_once(look.class, object, &look.track, &look.words, look.at);
        }
        for (controller, at, line) in &stream.controllers {
            reader.controller(controller, *at, line);
        }
        for release in &stream.releases {
            reader.release(release);
        }
        for (at, words) in &stream.refusals {
            reader.refusal(*at, words);
        }
        for signals in reader.found.values_mut() {
            signals.sort_by(|a, b| a.at.total_cmp(&b.at));
        }
        let raw = stream.lines.len()
            + stream.controllers.len()
            + stream.logs.len()
            + stream.releases.len()
            + stream.refusals.len();
        Self { by_object: reader.found, raw }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_object.values().map(Vec::len).sum()
    }
}

/// One part of an object whose changes are signals: its sort, its name, and what it says now.
pub(super) struct Slot {
    class: Class,
    name: String,
    words: String,
}

impl Slot {
    pub(super) fn new(class: Class, name: impl Into<String>, words: impl Into<String>) -> Self {
        Self { class, name: name.into(), words: words.into() }
    }
}

#[derive(Default)]
struct Reader {
    normal: Normaliser,
    found: BTreeMap<String, Vec<Signal>>,
    /// Raw kind and name → key.
    keys: BTreeMap<(String, String), String>,
    /// How many objects have a key without number.
    numbers: BTreeMap<String, usize>,
    /// Key and slot → last words.
    last: BTreeMap<(String, String), String>,
    /// The conditions that an object had when it was seen last.
    conditions: BTreeMap<String, BTreeSet<String>>,
    /// What was said once, by object.
    told: BTreeSet<(String, String)>,
}

impl Reader {
    /// The key of an object; the second of the same normalised name is `#2`.
    fn object(&mut self, kind: &str, name: &str) -> String {
        let raw = (kind.to_owned(), name.to_owned());
        if let Some(key) = self.keys.get(&raw) {
            return key.clone();
        }
        let plain = format!("{kind}/{}", self.normal.text(name));
        let number = self.numbers.entry(plain.clone()).or_default();
        *number += 1;
        let key = if *number == 1 { plain } else { format!("{plain}#{number}") };
        self.keys.insert(raw, key.clone());
        key
    }

    fn say(&mut self, class: Class, object: String, track: &str, words: impl AsRef<str>, at: f64) {
        let (track, words) = (self.normal.text(track), self.normal.text(words.as_ref()));
        self.found.entry(object.clone()).or_default().push(Signal { class, object, track, words, at });
    }

    /// The same words of the same track again are no news: how often they come hangs on the length of the recording.
    fn say_once(&mut self, class: Class, object: String, track: &str, words: &str, at: f64) {
        let key = (object.clone(), format!("{class:?} {track} {}", self.normal.text(words)));
        if self.told.insert(key) {
            self.say(class, object, track, words, at);
        }
    }

    /// What a controller logs of an object; how often hangs on the length of the recording, as with Events.
    fn controller(&mut self, controller: &str, at: f64, line: &Value) {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        if text("controllerKind").is_empty() {
            return;
        }
        let object = self.object(text("controllerKind"), text("name"));
        let words = format!("log of {controller}: {} {} {}", text("level"), text("msg"), text("error"));
        self.say_once(Class::Log, object, controller, &words, at);
    }

    fn line(&mut self, at: f64, event: &Value) {
        let object = &event["object"];
        match (event["type"].as_str(), object["kind"].as_str()) {
            (Some("ERROR"), _) => {
                let reason = object["reason"].as_str().unwrap_or_default();
                let message = object["message"].as_str().unwrap_or_default();
                let words = format!("{reason} {message}");
                self.say_once(Class::Refusal, "watch".to_owned(), "watch", &words, at);
            }
            (Some("BOOKMARK"), _) => {}
            (Some("DELETED"), Some("Event")) => {}
            (Some(_), Some("Event")) => self.event(at, object),
            (Some(verb), Some(kind)) => self.state(at, verb, kind, object),
            _ => {}
        }
    }

    fn event(&mut self, at: f64, event: &Value) {
        let Some(read) = events::read(event) else { return };
        let object = self.object(&read.kind, &read.name);
        self.say_once(Class::Event, object, &read.component, &read.words, at);
    }

    fn state(&mut self, at: f64, verb: &str, kind: &str, object: &Value) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let key = self.object(kind, name);
        if verb == "DELETED" {
            self.say(Class::Status, key, "deletion", "deleted", at);
            return;
        }
        let mut slots = conditions(object);
        slots.extend(match kind {
            "Pod" => pods::slots(object),
            "OCIRepository" | "HelmRepository" | "HelmChart" | "Kustomization" | "HelmRelease" => {
                flux::slots(object)
            }
            _ => workloads::slots(kind, object),
        });
        if object["metadata"]["deletionTimestamp"].is_string() {
            slots.push(Slot::new(Class::Status, "deletion", "being deleted"));
        }
        let said: BTreeSet<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
        let gone: Vec<String> = self
            .conditions
            .get(&key)
            .map(|known| known.iter().filter(|name| !said.contains(name.as_str())).cloned().collect())
            .unwrap_or_default();
        for name in gone {
            self.last.remove(&(key.clone(), name.clone()));
            self.say(Class::Condition, key.clone(), &name, format!("{name} is gone"), at);
        }
        let names = slots.iter().filter(|slot| slot.class == Class::Condition).map(|slot| slot.name.clone());
        self.conditions.insert(key.clone(), names.collect());
        for slot in slots {
            let words = self.normal.text(&slot.words);
            let place = (key.clone(), slot.name.clone());
            if self.last.get(&place) != Some(&words) {
                self.last.insert(place, words.clone());
                self.say(slot.class, key.clone(), &slot.name, format!("{} {words}", slot.name), at);
            }
        }
    }

    fn release(&mut self, release: &Value) {
        let name = release["name"].as_str().unwrap_or_default();
        let labels = &release["labels"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let words = format!(
            "{} status={} version={} owner={}",
            text(&release["event"]).to_lowercase(),
            text(&labels["status"]),
            text(&labels["version"]),
            text(&labels["owner"])
        );
        let object = self.object("Secret", name);
        let place = (object.clone(), "release".to_owned());
        if self.last.insert(place, words.clone()).as_ref() != Some(&words) {
            self.say(Class::Status, object, "release", words, release["t"].as_f64().unwrap_or_default());
        }
    }

    /// The same refusal again and again is one: how often somebody asks is his own affair.
    fn refusal(&mut self, at: f64, words: &str) {
        let object = words.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let words = self.normal.text(words);
        let place = (object.clone(), "refusal".to_owned());
        if self.last.insert(place, words.clone()).as_ref() != Some(&words) {
            self.say(Class::Refusal, object, "refusal", words, at);
        }
    }
}

/// Every condition of an object.
fn conditions(object: &Value) -> Vec<Slot> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| {
            let words = format!(
                "{} {} «{}»",
                text(&condition["status"]),
                text(&condition["reason"]),
                text(&condition["message"])
            );
            Slot::new(Class::Condition, text(&condition["type"]), words)
        })
        .collect()
}
