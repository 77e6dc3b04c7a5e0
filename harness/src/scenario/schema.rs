//! A JSON Schema of scenario files, for editors; made from the same tables as the reader.

use serde_json::{Map, Value, json};

use super::codes::code_names;
use super::{Component, DEFAULT_PROFILE, DEFAULT_RELEASE, Milestone, Operation, Readiness, Rollup, Tier};
use crate::fault::{self, Need, Param, ParamKind};
use crate::world::Capability;

const DURATION: &str = "^([0-9]+(ms|s|m|h))+$";

/// The schema.
pub fn schema() -> Value {
    let capabilities: Vec<&str> = Capability::ALL.iter().map(|capability| capability.name()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A smoke scenario",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "story", "expect"],
        "properties": {
            "name": { "type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$", "description": "The file's name without its end." },
            "story": { "type": "string", "description": "What happened, to whom." },
            "requires": { "type": "array", "items": { "enum": capabilities }, "description": "What the world must be able to do, beyond what the faults need." },
            "release": { "type": "string", "default": DEFAULT_RELEASE },
            "profile": { "type": "string", "default": DEFAULT_PROFILE },
            "bootstrap": bootstrap(),
            "faults": { "type": "array", "items": { "anyOf": faults() } },
            "acts": { "type": "array", "items": { "anyOf": acts() }, "description": "What people do on the way, each at a milestone." },
            "expect": expect(),
            "heal": { "type": "array", "items": { "anyOf": heals() } },
            "recovers": condition("What holds at the very end."),
        },
    })
}

fn bootstrap() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "mode": { "enum": ["fresh", "recover"], "default": "fresh" },
            "dns-servers": { "type": "array", "items": { "type": "string" } },
            "arguments": { "type": "array", "items": { "type": "string" }, "description": "Appended to the operator's command." },
        },
    })
}

fn faults() -> Vec<Value> {
    let mut shapes = Vec::new();
    for fault in fault::faults() {
        let mut shape = step(fault.name, fault.summary, fault.params);
        shape["properties"]["at"] = json!({ "enum": Milestone::NAMES, "description": "When; before the install where it is left out." });
        shapes.push(shape);
        shapes.extend(bare(fault.name, fault.summary, fault.params));
    }
    shapes
}

fn acts() -> Vec<Value> {
    let moment = json!({ "enum": Milestone::NAMES, "description": "When." });
    let act = |heal: &fault::HealKind| {
        let mut shape = step(heal.name, heal.summary, heal.params);
        shape["properties"]["at"] = moment.clone();
        shape["required"] = json!([heal.name, "at"]);
        shape
    };
    fault::heals().map(act).collect()
}

fn heals() -> Vec<Value> {
    let mut shapes = Vec::new();
    for heal in fault::heals() {
        shapes.push(step(heal.name, heal.summary, heal.params));
        shapes.extend(bare(heal.name, heal.summary, heal.params));
    }
    shapes
}

/// The name alone, for those that need no parameter.
fn bare(name: &str, summary: &str, params: &[Param]) -> Option<Value> {
    let complete = params.iter().all(|param| param.needed == Need::Optional);
    complete.then(|| json!({ "const": name, "description": summary }))
}

fn step(name: &str, summary: &str, params: &[Param]) -> Value {
    let required: Vec<&str> = params.iter().filter(|p| p.needed == Need::Required).map(|p| p.name).collect();
    let mut properties = Map::new();
    for param in params {
        let mut shape = match param.kind {
            ParamKind::Image => json!({ "type": "string", "examples": Component::NAMES }),
            ParamKind::Host => json!({ "type": "string" }),
            ParamKind::HttpStatus => json!({ "type": "integer", "minimum": 400, "maximum": 599 }),
            ParamKind::OneOf { names, .. } => json!({ "enum": names }),
            ParamKind::Duration => json!({ "type": "string", "pattern": DURATION }),
            ParamKind::ObjectName => json!({ "type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$" }),
            ParamKind::Label => {
                json!({ "type": "string", "examples": ["node-role.kubernetes.io/control-plane"] })
            }
            ParamKind::FileName => json!({ "type": "string", "pattern": "^[A-Za-z0-9@][A-Za-z0-9@._-]*$" }),
            ParamKind::Count { from, to, .. } => json!({ "type": "integer", "minimum": from, "maximum": to }),
            ParamKind::Addresses => json!({ "type": "string", "examples": ["1.1.1.1,8.8.8.8"] }),
        };
        shape["description"] = json!(param.doc);
        properties.insert(param.name.to_owned(), shape);
    }
    let kind = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    let inner = json!({ "type": kind, "additionalProperties": false, "required": required, "properties": properties });
    let mut outer = Map::new();
    outer.insert(name.to_owned(), inner);
    json!({ "type": "object", "description": summary, "additionalProperties": false, "required": [name], "properties": outer })
}

fn expect() -> Value {
    let conditions = |text: &str| json!({ "type": "array", "items": condition(text) });
    let budgets = json!({ "type": "string", "pattern": DURATION });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["eventually"],
        "properties": {
            "order": { "type": "array", "items": { "enum": Milestone::NAMES }, "description": "First seen in this order." },
            "eventually": {
                "type": "object",
                "additionalProperties": false,
                "description": "What holds at the end of the settled phase.",
                "properties": {
                    "rollup": { "enum": Rollup::NAMES },
                    "tiers": readiness(Tier::NAMES),
                    "components": readiness(Component::NAMES),
                    "operations": operations(),
                    "unread": unread(),
                    "blockers": { "type": "array", "items": blocker(), "description": "Exactly these, root first; none where it is left out." },
                },
            },
            "operator": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "exit": { "enum": ["success", "failure"] },
                    "prints": { "type": "array", "items": pattern() },
                },
            },
            "always": conditions("Holds in every status document before the heal."),
            "never": conditions("Holds in no status document before the heal."),
            "once": conditions("Holds in some status document before the heal."),
            "within": { "type": "object", "propertyNames": { "enum": Milestone::NAMES }, "additionalProperties": budgets, "description": "Budgets in field time." },
            "transient": { "type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["code", "reason"],
                "properties": { "code": { "enum": code_names() }, "reason": { "type": "string" } },
            } },
            "after-heal": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "always": conditions("Holds in every status document after the heal."),
                    "never": conditions("Holds in no status document after the heal."),
                },
            },
        },
    })
}

fn blocker() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["code"],
        "properties": {
            "code": { "enum": code_names() },
            "component": { "type": "string" },
            "loginBlocking": { "type": "boolean" },
            "reason": pattern(),
            "nextAction": pattern(),
            "layer": { "type": "string" },
            "consequences": { "type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["code"],
                "properties": { "code": { "enum": code_names() }, "component": { "type": "string" } },
            } },
        },
    })
}

fn pattern() -> Value {
    json!({ "type": "string", "description": "A text that is contained, or a /regular expression/." })
}

fn readiness(names: &[&str]) -> Value {
    json!({ "type": "object", "propertyNames": { "enum": names }, "additionalProperties": { "enum": Readiness::NAMES } })
}

fn condition(text: &str) -> Value {
    json!({
        "type": "object",
        "description": text,
        "additionalProperties": false,
        "minProperties": 1,
        "properties": {
            "rollup": { "enum": Rollup::NAMES },
            "blocker": { "enum": code_names() },
            "component": { "type": "string", "description": "The blocker's." },
            "tiers": readiness(Tier::NAMES),
            "components": readiness(Component::NAMES),
            "operations": operations(),
            "unread": unread(),
        },
    })
}

fn unread() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": "Reads that the service says fail." })
}

fn operations() -> Value {
    json!({ "type": "object", "propertyNames": { "enum": Component::NAMES }, "additionalProperties": { "enum": Operation::NAMES } })
}
