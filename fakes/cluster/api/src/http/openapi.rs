//! OpenAPI v3: the published schemas of the built-in kinds, and those of definitions.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::discovery::{group_versions, root};
use crate::kind::KindInfo;
use crate::{ApiError, Store, shapes};

/// `/openapi/v3`.
pub(super) fn index(store: &Store) -> Value {
    let mut paths = Map::new();
    for (group, versions) in group_versions(store) {
        for (version, kinds) in versions {
            let root = root(&group, &version);
            let url = format!("/openapi/v3/{root}?hash={:X}", fingerprint(store, &kinds));
            paths.insert(root, json!({"serverRelativeURL": url}));
        }
    }
    json!({"paths": paths})
}

/// Another one for other schemas: built-in ones never change, definitions say their generation.
fn fingerprint(store: &Store, kinds: &[(Arc<KindInfo>, String)]) -> u64 {
    let custom = kinds.iter().filter(|(info, _)| info.custom);
    custom.fold(kinds.len() as u64, |sum, (info, _)| {
        let name = format!("{}.{}", info.res.plural, info.res.group);
        let definition = store.get(&crate::kinds::CRDS, "", &name);
        let generation = definition.map_or(0, |definition| crate::object::generation(&definition));
        sum.wrapping_mul(31).wrapping_add(generation.unsigned_abs())
    })
}

/// `/openapi/v3/apis/GROUP/VERSION`.
pub(super) fn document(store: &Store, group: &str, version: &str) -> Answer {
    let known = group_versions(store);
    let found = known.get(group).and_then(|versions| versions.iter().find(|(name, _)| name == version));
    let Some((_, kinds)) = found else { return Err(ApiError::no_such_path()) };
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for (info, _) in kinds {
        let name = shapes::schema_name(info, version);
        let (path, operations) = operations(info, version, &name);
        paths.insert(path, operations);
        let mut schema = shapes::of_kind(info, version);
        add_referenced(&schema, &mut schemas);
        schema["x-kubernetes-group-version-kind"] =
            json!([{"group": group, "version": version, "kind": info.kind}]);
        schemas.insert(name, schema);
    }
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": super::VERSION}, "paths": paths,
        "components": {"schemas": schemas},
    });
    Ok(answer::json(StatusCode::OK, &document))
}

/// Enough for clients to see what PATCH takes and which schema a path has.
fn operations(info: &KindInfo, version: &str, schema: &str) -> (String, Value) {
    let parameter =
        |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let scope = if info.namespaced { "/namespaces/{namespace}" } else { "" };
    let path = format!("/{}{scope}/{}/{{name}}", root(&info.res.group, version), info.res.plural);
    let kind = json!({"group": info.res.group, "version": version, "kind": info.kind});
    let content = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
    let answers = json!({"200": {"description": "OK", "content": content}});
    let operations = json!({
        "get": {"responses": answers, "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": kind},
        "patch": {
            "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation"), parameter("force")],
            "responses": answers, "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": kind,
        },
    });
    (path, operations)
}

/// Adds every schema that one refers to, and those that they refer to.
fn add_referenced(schema: &Value, schemas: &mut Map<String, Value>) {
    let mut open = BTreeSet::new();
    references(schema, &mut open);
    while let Some(name) = open.pop_first() {
        if schemas.contains_key(&name) {
            continue;
        }
        if let Some(schema) = shapes::named(&name) {
            references(schema, &mut open);
            schemas.insert(name, schema.clone());
        }
    }
}

fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = shapes::reference(schema) {
                found.insert(name.to_owned());
            }
            map.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}
