//! Server-side apply: who owns which fields, and what becomes of the rest.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::FieldSet;
use super::layout::Place;
use super::merge::{differing, merge, prune};
use crate::ApiError;
use crate::kind::KindInfo;
use crate::object::{child, timestamp};
use crate::store::{Conflicts, Subresource};

/// Who applies, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applier<'a> {
    pub(crate) name: &'a str,
    pub(crate) sub: Subresource,
    pub(crate) conflicts: Conflicts,
    pub(crate) now: Timestamp,
}

/// Metadata that no manager owns.
const UNOWNED: [&str; 10] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "selfLink",
    "managedFields",
];

/// One entry of `managedFields`.
#[derive(Clone, Debug)]
struct Manager {
    name: String,
    operation: String,
    subresource: String,
    api_version: String,
    time: String,
    set: FieldSet,
}

impl Manager {
    fn read(entry: &Value) -> Self {
        let text = |field: &str| entry[field].as_str().unwrap_or("").to_owned();
        Self {
            name: text("manager"),
            operation: text("operation"),
            subresource: text("subresource"),
            api_version: text("apiVersion"),
            time: text("time"),
            set: FieldSet::from_json(&entry["fieldsV1"]),
        }
    }

    fn written(&self) -> Value {
        let mut entry = json!({
            "manager": self.name, "operation": self.operation, "apiVersion": self.api_version, "time": self.time,
            "fieldsType": "FieldsV1", "fieldsV1": self.set.to_json(),
        });
        if !self.subresource.is_empty() {
            entry["subresource"] = json!(self.subresource);
        }
        entry
    }

    /// As messages name it.
    fn title(&self) -> String {
        let mut title = format!("\"{}\"", self.name);
        if !self.subresource.is_empty() {
            title += &format!(" with subresource \"{}\"", self.subresource);
        }
        if self.operation == "Update" {
            title += &format!(" using {}", self.api_version);
        }
        title
    }

    fn is(&self, name: &str, operation: &str, subresource: &str) -> bool {
        self.name == name && self.operation == operation && self.subresource == subresource
    }
}

fn managers(object: &Value) -> Vec<Manager> {
    object["metadata"]["managedFields"].as_array().into_iter().flatten().map(Manager::read).collect()
}

fn write_managers(object: &mut Value, managers: &[Manager]) {
    let entries: Vec<Value> =
        managers.iter().filter(|manager| !manager.set.is_empty()).map(Manager::written).collect();
    child(object, "metadata")["managedFields"] = Value::Array(entries);
}

/// The fields of an object that can be owned.
fn owned(mut set: FieldSet, info: &KindInfo, sub: Subresource) -> FieldSet {
    set.forget(&["apiVersion"]);
    set.forget(&["kind"]);
    for field in UNOWNED {
        set.forget(&["metadata", field]);
    }
    match sub {
        Subresource::Status => set.only("status"),
        Subresource::Main if info.status => set.forget(&["status"]),
        Subresource::Main => {}
    }
    set
}

fn sub_name(sub: Subresource) -> &'static str {
    match sub {
        Subresource::Main => "",
        Subresource::Status => "status",
    }
}

/// The object that `live` becomes when somebody applies `wanted`.
pub(crate) fn apply(
    info: &KindInfo,
    live: &Value,
    wanted: &Value,
    applier: Applier<'_>,
) -> Result<Value, ApiError> {
    if wanted["metadata"]["managedFields"].as_array().is_some_and(|list| !list.is_empty()) {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    let top = Place::top(info);
    let mut wanted = wanted.clone();
    if let Some(meta) = wanted.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["managedFields", "creationTimestamp", "resourceVersion", "uid"] {
            meta.shift_remove(field);
        }
    }
    // An empty map of labels is none, in the object as in what is applied; owning it would come and go.
    if let Some(meta) = wanted.get_mut("metadata") {
        crate::admission::tidy_metadata(meta);
    }
    if !info.custom {
        drop_nulls(&mut wanted);
    }
    if let Some(map) = wanted.as_object_mut() {
        match applier.sub {
            Subresource::Main if info.status => map.retain(|field, _| field != "status"),
            Subresource::Main => {}
            Subresource::Status => {
                map.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "status"))
            }
        }
    }
    let set = owned(FieldSet::of(&wanted, top), info, applier.sub);
    let sub = sub_name(applier.sub);
    let mut all = managers(live);
    let mine = all.iter().position(|manager| manager.is(applier.name, "Apply", sub)).map(|at| all.remove(at));
    settle_conflicts(&mut all, &set, live, &wanted, top, applier.conflicts)?;

    let mut merged = live.clone();
    merge(&mut merged, &wanted, top);
    if let Some(mine) = &mine {
        let kept = all.iter().fold(set.clone(), |sum, other| sum.union(&other.set));
        prune(&mut merged, &mine.set.minus(&kept), &kept, top);
    }
    let time = match &mine {
        Some(mine) if mine.set == set => mine.time.clone(),
        _ => timestamp(applier.now),
    };
    all.insert(
        0,
        Manager {
            name: applier.name.to_owned(),
            operation: "Apply".to_owned(),
            subresource: sub.to_owned(),
            api_version: info.api_version(),
            time,
            set,
        },
    );
    if mine.is_some() {
        restore_order(live, &mut all);
    }
    write_managers(&mut merged, &all);
    Ok(merged)
}

/// Entries stay where they were, so that applying the same again changes nothing.
fn restore_order(live: &Value, all: &mut [Manager]) {
    let before = managers(live);
    let rank = |manager: &Manager| {
        before
            .iter()
            .position(|known| known.is(&manager.name, &manager.operation, &manager.subresource))
            .unwrap_or(before.len())
    };
    all.sort_by_key(rank);
}

fn settle_conflicts(
    all: &mut [Manager],
    set: &FieldSet,
    live: &Value,
    wanted: &Value,
    top: Place<'_>,
    conflicts: Conflicts,
) -> Result<(), ApiError> {
    let mut refused = Vec::new();
    for manager in all {
        let contested = differing(&manager.set.common(set), live, wanted, top);
        if contested.is_empty() {
            continue;
        }
        match conflicts {
            Conflicts::Fail => {
                refused.extend(contested.paths().into_iter().map(|path| (manager.title(), path)));
            }
            Conflicts::Force => manager.set = manager.set.minus(&contested),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(ApiError::apply_conflict(&refused)) }
}

/// Writes down that `manager` made the difference between two versions.
pub(crate) fn record_update(
    info: &KindInfo,
    old: Option<&Value>,
    new: &mut Value,
    manager: &str,
    sub: &str,
    now: Timestamp,
) {
    if manager.is_empty() {
        return;
    }
    let top = Place::top(info);
    let empty = Value::Null;
    let before = old.unwrap_or(&empty);
    let strip = |mut set: FieldSet| {
        set.forget(&["apiVersion"]);
        set.forget(&["kind"]);
        for field in UNOWNED {
            set.forget(&["metadata", field]);
        }
        set
    };
    let changed = strip(FieldSet::changed(before, new, top));
    let removed = old
        .map_or_else(FieldSet::default, |old| strip(FieldSet::of(old, top).minus(&FieldSet::of(new, top))));
    if changed.is_empty() && removed.is_empty() {
        return;
    }
    let lost = changed.clone().union(&removed);
    let mut all = managers(new);
    let version = info.api_version();
    for other in &mut all {
        if !(other.is(manager, "Update", sub) && other.api_version == version) {
            other.set = other.set.minus(&lost);
        }
    }
    let mine = all.iter_mut().find(|known| known.is(manager, "Update", sub) && known.api_version == version);
    match mine {
        Some(mine) => {
            mine.set = mine.set.minus(&removed).union(&changed);
            mine.time = timestamp(now);
        }
        None => all.push(Manager {
            name: manager.to_owned(),
            operation: "Update".to_owned(),
            subresource: sub.to_owned(),
            api_version: version,
            time: timestamp(now),
            set: changed,
        }),
    }
    write_managers(new, &all);
}

/// Built-in types do not keep nulls.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
