//! Custom resource definitions: what they say about a kind, and their own status.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Res;
use crate::kind::{Generation, KindInfo, Scope, ServedVersion};
use crate::object::{child, default, timestamp};

/// The kind that a definition defines.
pub(crate) fn kind_of(definition: &Value) -> Option<KindInfo> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let res = Res::named(spec["group"].as_str()?, names["plural"].as_str()?);
    let versions = spec["versions"].as_array()?;
    let storage = versions.iter().find(|version| version["storage"] == true)?;
    let scope = if spec["scope"] == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
    let mut info = KindInfo::new(res, storage["name"].as_str()?, names["kind"].as_str()?, scope);
    info.versions = versions.iter().filter(|version| version["served"] == true).filter_map(served).collect();
    info.singular = names["singular"].as_str().map_or_else(|| info.kind.to_lowercase(), str::to_owned);
    info.short_names = strings(&names["shortNames"]);
    info.categories = strings(&names["categories"]);
    info.status = storage["subresources"]["status"].is_object();
    let scale = &storage["subresources"]["scale"];
    info.scale = scale.is_object().then(|| {
        ["specReplicasPath", "statusReplicasPath", "labelSelectorPath"]
            .map(|field| scale[field].as_str().unwrap_or("").to_owned())
    });
    info.generation = if info.status { Generation::Content } else { Generation::Spec };
    info.custom = true;
    Some(info)
}

fn served(version: &Value) -> Option<ServedVersion> {
    let schema = &version["schema"]["openAPIV3Schema"];
    Some(ServedVersion {
        name: version["name"].as_str()?.to_owned(),
        schema: schema.is_object().then(|| Arc::new(schema.clone())),
        columns: version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default(),
    })
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Defaults of a definition's specification.
pub(crate) fn default_spec(definition: &mut Value) {
    let spec = child(definition, "spec");
    default(spec, "conversion", || json!({"strategy": "None"}));
    let names = child(spec, "names");
    let kind = names["kind"].as_str().unwrap_or("").to_owned();
    default(names, "singular", || json!(kind.to_lowercase()));
    default(names, "listKind", || json!(format!("{kind}List")));
}

/// The status that a served definition has.
pub(crate) fn establish(definition: &mut Value, now: Timestamp) {
    let names = definition["spec"]["names"].clone();
    let stored: Vec<Value> = definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": timestamp(now), "reason": reason, "message": message});
    definition["status"] = json!({
        "acceptedNames": names,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": stored,
    });
}
