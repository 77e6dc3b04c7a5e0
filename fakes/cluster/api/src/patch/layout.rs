//! Which lists are maps, sets or single values, and which maps are single values.

use serde_json::{Map, Value};

use crate::kind::KindInfo;

/// How the value at a place merges.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layout {
    /// As a whole.
    Atomic,
    /// Field by field.
    Fields,
    /// A list whose items are known by these fields.
    Keyed(Vec<String>),
    /// A list without order or repetition.
    Set,
}

/// A place in the schema of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// In a built-in type: the field, and the field that holds it.
    BuiltIn { field: &'a str, parent: &'a str },
    /// In a custom resource; without a schema nothing is known.
    Custom { field: &'a str, schema: Option<&'a Value> },
}

/// Lists of built-in types that are maps: field, holder (empty for any) and keys.
const KEYED: &[(&str, &str, &[&str])] = &[
    ("containers", "", &["name"]),
    ("initContainers", "", &["name"]),
    ("ephemeralContainers", "", &["name"]),
    ("env", "", &["name"]),
    ("ports", "containers", &["containerPort", "protocol"]),
    ("ports", "initContainers", &["containerPort", "protocol"]),
    ("ports", "spec", &["port", "protocol"]),
    ("volumes", "spec", &["name"]),
    ("volumeMounts", "", &["mountPath"]),
    ("volumeDevices", "", &["devicePath"]),
    ("imagePullSecrets", "", &["name"]),
    ("hostAliases", "", &["ip"]),
    ("topologySpreadConstraints", "", &["topologyKey", "whenUnsatisfiable"]),
    ("schedulingGates", "", &["name"]),
    ("resourceClaims", "", &["name"]),
    ("conditions", "", &["type"]),
    ("ownerReferences", "metadata", &["uid"]),
    ("addresses", "status", &["type"]),
    ("podIPs", "", &["ip"]),
    ("secrets", "", &["name"]),
    ("webhooks", "", &["name"]),
];

/// Maps of built-in types that are written as a whole.
const ATOMIC_MAPS: &[&str] = &[
    "selector",
    "nodeSelector",
    "podSelector",
    "namespaceSelector",
    "labelSelector",
    "secretKeyRef",
    "configMapKeyRef",
    "fieldRef",
    "resourceFieldRef",
    "secretRef",
    "claimRef",
    "dataSource",
    "roleRef",
    "involvedObject",
    "scaleTargetRef",
];

impl<'a> Place<'a> {
    /// The top of an object of a kind, in the version its `apiVersion` names.
    pub(crate) fn top(info: &'a KindInfo) -> Self {
        if !info.custom {
            return Self::BuiltIn { field: "", parent: "" };
        }
        let schema = info.served(&info.version).and_then(|version| version.schema.as_deref());
        Self::Custom { field: "", schema }
    }

    /// The place of a field.
    pub(crate) fn field(self, name: &'a str) -> Self {
        match self {
            Self::BuiltIn { field, .. } => Self::BuiltIn { field: name, parent: field },
            Self::Custom { field: "", .. } if name == "metadata" => Self::BuiltIn { field: name, parent: "" },
            Self::Custom { schema, .. } => {
                let known = schema.and_then(|schema| {
                    let additional = || schema.get("additionalProperties").filter(|more| more.is_object());
                    schema["properties"].get(name).or_else(additional)
                });
                Self::Custom { field: name, schema: known }
            }
        }
    }

    /// The place of an item of the list at this place.
    pub(crate) fn item(self) -> Self {
        match self {
            Self::BuiltIn { field, parent } => Self::BuiltIn { field, parent },
            Self::Custom { schema, .. } => {
                Self::Custom { field: "[]", schema: schema.and_then(|schema| schema.get("items")) }
            }
        }
    }

    /// How a value at this place merges.
    pub(crate) fn layout(self, value: &Value) -> Layout {
        match (self, value) {
            (Self::BuiltIn { field, parent }, Value::Array(_)) => built_in_list(field, parent),
            (Self::BuiltIn { field, .. }, Value::Object(_)) if ATOMIC_MAPS.contains(&field) => Layout::Atomic,
            (_, Value::Object(_)) => self.custom_map(),
            (Self::Custom { schema, .. }, Value::Array(_)) => custom_list(schema),
            _ => Layout::Atomic,
        }
    }

    fn custom_map(self) -> Layout {
        match self {
            Self::Custom { schema: Some(schema), .. } if schema["x-kubernetes-map-type"] == "atomic" => {
                Layout::Atomic
            }
            _ => Layout::Fields,
        }
    }
}

fn built_in_list(field: &str, parent: &str) -> Layout {
    if field == "finalizers" {
        return Layout::Set;
    }
    KEYED
        .iter()
        .find(|(name, holder, _)| *name == field && (holder.is_empty() || *holder == parent))
        .map_or(Layout::Atomic, |(.., keys)| {
            Layout::Keyed(keys.iter().map(|key| (*key).to_owned()).collect())
        })
}

fn custom_list(schema: Option<&Value>) -> Layout {
    let Some(schema) = schema else { return Layout::Atomic };
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => Layout::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            Layout::Keyed(keys.filter_map(|key| key.as_str().map(str::to_owned)).collect())
        }
        _ => Layout::Atomic,
    }
}

/// What an item of a keyed list is known by, as `fieldsV1` writes it after `k:`.
pub(crate) fn key_of(item: &Value, keys: &[String]) -> String {
    let mut sorted: Vec<&String> = keys.iter().collect();
    sorted.sort();
    let mut map = Map::new();
    for key in sorted {
        match item.get(key.as_str()) {
            Some(value) => {
                map.insert(key.clone(), value.clone());
            }
            None if key == "protocol" => {
                map.insert(key.clone(), Value::from("TCP"));
            }
            None => {}
        }
    }
    Value::Object(map).to_string()
}
