//! Faults and heal steps of a scenario, checked against their tables.

use super::fields::{Fields, Problems};
use super::nearest::meant;
use super::tree::{Key, Node, Value};
use super::{Component, Milestone, problem::Place};
use crate::fault::{self, Act, FaultUse, HealStep, Need, Param, ParamKind, ParamValue, Params};

pub(super) fn faults(node: Node, problems: &mut Problems) -> Vec<FaultUse> {
    let place = node.place;
    let mut found: Vec<FaultUse> = Vec::new();
    for item in problems.list(node, "faults") {
        let Some(step) = step(item, "a fault", problems) else { continue };
        let at = step.at.and_then(|node| moment(&node, problems));
        let Some(kind) = fault::fault(&step.key.name) else {
            let known: Vec<&str> = fault::faults().map(|fault| fault.name).collect();
            unknown(&step.key, "fault", &known, problems);
            continue;
        };
        let params = params(step.value, step.key.place, kind.name, kind.params, problems);
        found.extend(params.map(|params| FaultUse { kind, params, at }));
    }
    let late = |fault: &FaultUse| fault.at == Some(Milestone::Blocker);
    if !found.is_empty() && found.iter().all(late) {
        problems
            .add(place, "no blocker comes before the first fault: one of them needs another `at`, or none");
    }
    found
}

/// A milestone at which something can still be broken.
fn moment(node: &Node, problems: &mut Problems) -> Option<Milestone> {
    let at = problems.name::<Milestone>(node, "`at`")?;
    if at == Milestone::Recovered {
        problems.add(node.place, "faults are set before the heal: `at` cannot be `recovered`");
        return None;
    }
    Some(at)
}

pub(super) fn heals(node: Node, problems: &mut Problems) -> Vec<HealStep> {
    let mut found = Vec::new();
    for item in problems.list(node, "heal") {
        let Some(step) = step(item, "a heal step", problems) else { continue };
        if let Some(at) = &step.at {
            problems.add(at.place, "a heal step has no `at`: heals follow the settled phase");
        }
        found.extend(heal(step, problems));
    }
    found
}

/// What people do on the way: heal verbs, each at a milestone.
pub(super) fn acts(node: Node, problems: &mut Problems) -> Vec<Act> {
    let mut found = Vec::new();
    for item in problems.list(node, "acts") {
        let place = item.place;
        let Some(mut step) = step(item, "an act", problems) else { continue };
        let Some(at) = step.at.take() else {
            problems.add(place, "an act has an `at`: the milestone at which people do it");
            continue;
        };
        let at = problems.name::<Milestone>(&at, "`at`").filter(|milestone| {
            let late = *milestone == Milestone::Recovered;
            if late {
                problems.add(at.place, "acts come before the heal: `at` cannot be `recovered`");
            }
            !late
        });
        let step = heal(step, problems);
        found.extend(step.zip(at).map(|(step, at)| Act { step, at }));
    }
    found
}

fn heal(step: Step, problems: &mut Problems) -> Option<HealStep> {
    let Some(kind) = fault::heal(&step.key.name) else {
        let known: Vec<&str> = fault::heals().map(|heal| heal.name).collect();
        unknown(&step.key, "heal verb", &known, problems);
        return None;
    };
    let params = params(step.value, step.key.place, kind.name, kind.params, problems)?;
    Some(HealStep { kind, params })
}

fn unknown(key: &Key, what: &str, known: &[&str], problems: &mut Problems) {
    problems.add(key.place, format!("no {what} is named `{}`{}", key.name, meant(&key.name, known)));
}

struct Step {
    key: Key,
    value: Node,
    at: Option<Node>,
}

/// `name: { parameters }`, with `at: milestone` beside it, or the bare name.
fn step(item: Node, what: &str, problems: &mut Problems) -> Option<Step> {
    let place = item.place;
    if let Value::Text(name) = item.value {
        let key = Key { place, name };
        return Some(Step { key, value: Node { place, value: Value::Null }, at: None });
    }
    let mut entries = problems.map(item, what)?;
    let at = entries.iter().position(|(key, _)| key.name == "at").map(|index| entries.remove(index).1);
    if entries.is_empty() {
        problems.add(place, format!("{what} needs a name"));
        return None;
    }
    let (key, value) = entries.remove(0);
    if let Some((extra, _)) = entries.first() {
        let message = format!(
            "{what} has one name and perhaps an `at`; `{}` begins another: give it its own dash",
            extra.name
        );
        problems.add(extra.place, message);
        return None;
    }
    Some(Step { key, value, at })
}

fn params(
    node: Node,
    named: Place,
    owner: &'static str,
    params: &'static [Param],
    problems: &mut Problems,
) -> Option<Params> {
    let before = problems.0.len();
    let empty = matches!(node.value, Value::Null);
    let node = if empty { Node { place: named, value: Value::Null } } else { node };
    let mut fields = Fields::new(node, owner, problems);
    let mut found = Params::default();
    for param in params {
        let node = match param.needed {
            Need::Required => fields.need(param.name),
            Need::Optional => fields.take(param.name),
        };
        let value = node.and_then(|node| value(&node, param, fields.problems));
        found.0.extend(value.map(|value| (param.name, value)));
    }
    fields.finish();
    (problems.0.len() == before).then_some(found)
}

fn value(node: &Node, param: &Param, problems: &mut Problems) -> Option<ParamValue> {
    match param.kind {
        ParamKind::Image => image(node, problems),
        ParamKind::Host => problems.text(node, "a host").map(ParamValue::Text),
        ParamKind::OneOf { what, names } => {
            problems.one_of(node, what, names).map(|name| ParamValue::Text(name.to_owned()))
        }
        ParamKind::Duration => problems.duration(node, "a length of time").map(ParamValue::Duration),
        ParamKind::ObjectName => object_name(node, problems),
        ParamKind::Label => label(node, problems),
        ParamKind::Addresses => addresses(node, problems),
        ParamKind::FileName => file_name(node, problems),
        ParamKind::Count { what, from, to } => count(node, what, from..=to, problems),
        ParamKind::HttpStatus => match node.value {
            Value::Integer(status @ 400..=599) => Some(ParamValue::Number(status.unsigned_abs())),
            _ => {
                let given = node.value.kind();
                problems.add(
                    node.place,
                    format!("`{}` is an HTTP status from 400 to 599, not {given}", param.name),
                );
                None
            }
        },
    }
}

/// An image is named by a component, or by the last part of its repository.
/// A name as Kubernetes permits it for a Service.
fn object_name(node: &Node, problems: &mut Problems) -> Option<ParamValue> {
    let name = problems.text(node, "a name")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = name.len() < 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(plain);
    if !good {
        let message =
            format!("`{name}` is no name of a Service: small letters, digits and dashes, a letter first");
        problems.add(node.place, message);
    }
    good.then_some(ParamValue::Text(name))
}

fn label(node: &Node, problems: &mut Problems) -> Option<ParamValue> {
    let text = problems.text(node, "a label's key or value")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let ends = |c: char| c.is_ascii_alphanumeric();
    let good = text.chars().all(plain)
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.matches('/').count() < 2
        && text.split('/').all(|part| !part.is_empty() && part.len() < 64);
    if !good {
        let message =
            format!("`{text}` is no key or value of a label: letters, digits, dashes, dots, one slash");
        problems.add(node.place, message);
    }
    good.then_some(ParamValue::Text(text))
}

/// A name that is no path and says nothing to a shell.
fn file_name(node: &Node, problems: &mut Problems) -> Option<ParamValue> {
    let name = problems.text(node, "a name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-".contains(c);
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@') && name.chars().all(plain);
    if !good || name.len() > 120 {
        problems
            .add(node.place, format!("`{name}` is no file's name: letters, digits and `@._-`, no folder"));
        return None;
    }
    Some(ParamValue::Text(name))
}

fn count(
    node: &Node,
    what: &str,
    range: std::ops::RangeInclusive<u64>,
    problems: &mut Problems,
) -> Option<ParamValue> {
    let number = match node.value {
        Value::Integer(number) => u64::try_from(number).ok().filter(|it| range.contains(it)),
        _ => None,
    };
    if number.is_none() {
        let (from, to) = range.into_inner();
        let given = node.value.kind();
        problems.add(node.place, format!("this is the {what}: a number from {from} to {to}, not {given}"));
    }
    number.map(ParamValue::Number)
}

fn addresses(node: &Node, problems: &mut Problems) -> Option<ParamValue> {
    let list = problems.text(node, "a list of addresses")?;
    let wrong = list.split(',').find(|address| address.trim().parse::<std::net::IpAddr>().is_err());
    if let Some(wrong) = wrong {
        problems.add(node.place, format!("`{}` is no IP address; write 1.1.1.1,8.8.8.8", wrong.trim()));
        return None;
    }
    Some(ParamValue::Text(list.replace(' ', "")))
}

fn image(node: &Node, problems: &mut Problems) -> Option<ParamValue> {
    let known = images();
    let name = problems.text(node, "an image")?;
    if known.contains(&name) {
        return Some(ParamValue::Text(name));
    }
    problems.add(node.place, format!("no image of a release is named `{name}`{}", meant(&name, &known)));
    None
}

/// Names of images: components first, then repositories' last parts.
fn images() -> Vec<String> {
    let list: serde_json::Value = fixtures::file("images.json")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default();
    let references =
        list["images"].as_array().into_iter().flatten().filter_map(|image| image["image"].as_str());
    let last = |reference: &str| {
        let path = reference.rsplit_once(':').map_or(reference, |(path, _)| path);
        path.rsplit('/').next().unwrap_or(path).to_owned()
    };
    let mut names: Vec<String> = Component::NAMES.iter().map(|name| (*name).to_owned()).collect();
    for name in references.map(last) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
