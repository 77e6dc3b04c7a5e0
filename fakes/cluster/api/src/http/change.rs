//! Creating, replacing, patching and deleting.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::call::{Call, parse};
use super::read::Filter;
use super::{field_validation, pod_security};
use crate::store::{Conflicts, DeleteOptions, Deleted, Outcome, Propagation, Stored, Subresource};
use crate::{ApiError, Store, kinds, object, patch};

fn show(store: &Store, call: &Call, code: StatusCode, stored: &Stored) -> Answer {
    Ok(answer::bytes(code, answer::JSON, call.lens(store).one(stored)))
}

fn part(call: &Call) -> Subresource {
    if call.address.sub == "status" { Subresource::Status } else { Subresource::Main }
}

/// POST to a collection.
pub(super) fn create(store: &Store, call: &Call) -> Answer {
    let mut value = call.object()?;
    field_validation::of_object(call, &mut value)?;
    pod_security::warn(store, call, &value);
    if call.info.status {
        value.as_object_mut().map(|map| map.shift_remove("status"));
    }
    let stored = store.create_with(&call.address.res, value, call.write())?;
    show(store, call, StatusCode::CREATED, &stored)
}

/// PUT of an object or its status.
pub(super) fn update(store: &Store, call: &Call) -> Answer {
    let mut value = call.object()?;
    field_validation::of_object(call, &mut value)?;
    pod_security::warn(store, call, &value);
    let stored = store.update_with(&call.address.res, value, part(call), call.write())?;
    show(store, call, StatusCode::OK, &stored)
}

/// PATCH of an object or its status, in each of the four ways.
pub(super) fn patch(store: &Store, call: &Call) -> Answer {
    let kind = call.content_type.split(';').next().unwrap_or("").trim();
    if kind == "application/apply-patch+yaml" {
        return apply(store, call);
    }
    let change = Patch::parse(call, kind)?;
    let address = &call.address;
    let make = |_: &crate::KindInfo, old: &Value| {
        let mut new = old.clone();
        change.apply(&mut new)?;
        if !call.info.custom {
            patch::drop_nulls(&mut new);
        }
        let mut named = new.clone();
        call.place(&mut named)?;
        field_validation::of_patched(call, &mut new)?;
        Ok(new)
    };
    let stored =
        store.rewrite(&address.res, &address.namespace, &address.name, part(call), call.write(), make)?;
    pod_security::warn(store, call, &stored.value);
    show(store, call, StatusCode::OK, &stored)
}

fn apply(store: &Store, call: &Call) -> Answer {
    let mut value = parse(&call.body, "application/yaml")?;
    call.place(&mut value)?;
    field_validation::of_applied(call, &value)?;
    pod_security::warn(store, call, &value);
    if call.query.get("fieldManager").is_none() {
        return Err(ApiError::new(
            422,
            "Invalid",
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        ));
    }
    let conflicts = if call.query.says("force") { Conflicts::Force } else { Conflicts::Fail };
    let (stored, outcome) =
        store.apply_with(&call.address.res, value, part(call), conflicts, call.write())?;
    let code = if outcome == Outcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    show(store, call, code, &stored)
}

/// A patch of one of the plain kinds.
pub(super) enum Patch {
    Json(json_patch::Patch),
    Merge(Value),
    Strategic(Value),
}

impl Patch {
    pub(super) fn parse(call: &Call, kind: &str) -> Result<Self, ApiError> {
        let value = || parse(&call.body, "application/json");
        match kind {
            "application/json-patch+json" => serde_json::from_value(value()?)
                .map(Self::Json)
                .map_err(|problem| ApiError::bad_request(format!("error decoding patch: {problem}"))),
            "application/merge-patch+json" => Ok(Self::Merge(value()?)),
            "application/strategic-merge-patch+json" if !call.info.custom => Ok(Self::Strategic(value()?)),
            _ => Err(ApiError::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
        }
    }

    pub(super) fn apply(&self, target: &mut Value) -> Result<(), ApiError> {
        match self {
            Self::Json(steps) => json_patch::patch(target, steps).map_err(|problem| {
                ApiError::new(
                    422,
                    "Invalid",
                    format!("the server rejected our request due to an error in our request: {problem}"),
                )
            }),
            Self::Merge(change) => {
                json_patch::merge(target, change);
                Ok(())
            }
            Self::Strategic(change) => patch::strategic(target, change),
        }
    }
}

/// What a DELETE asks for, from its body and its query.
fn delete_options(call: &Call) -> Result<DeleteOptions, ApiError> {
    let body = if call.body.is_empty() { Value::Null } else { call.value()? };
    let policy = call.query.get("propagationPolicy").or_else(|| body["propagationPolicy"].as_str());
    let propagation = match policy {
        Some("Foreground") => Propagation::Foreground,
        Some("Orphan") => Propagation::Orphan,
        _ if body["orphanDependents"] == true => Propagation::Orphan,
        _ => Propagation::Background,
    };
    let mut options = DeleteOptions::new(propagation);
    let grace = call.query.get("gracePeriodSeconds").and_then(|text| text.parse().ok());
    options.grace = grace.or_else(|| body["gracePeriodSeconds"].as_i64());
    options.uid = body["preconditions"]["uid"].as_str().map(str::to_owned);
    options.version = body["preconditions"]["resourceVersion"].as_str().map(str::to_owned);
    if body["dryRun"].as_array().is_some_and(|list| !list.is_empty()) {
        options.run = crate::store::Run::Dry;
    } else {
        options.run = call.run();
    }
    Ok(options)
}

/// DELETE of an object.
pub(super) fn delete(store: &Store, call: &Call) -> Answer {
    let options = delete_options(call)?;
    let address = &call.address;
    match store.delete_with(&address.res, &address.namespace, &address.name, &options)? {
        Deleted::Pending(stored) => show(store, call, StatusCode::OK, &stored),
        Deleted::Gone(stored) if address.res == kinds::PODS => show(store, call, StatusCode::OK, &stored),
        Deleted::Gone(stored) => {
            let mut details =
                json!({"name": address.name, "kind": address.res.plural, "uid": object::uid(&stored.value)});
            if !address.res.group.is_empty() {
                details["group"] = json!(address.res.group);
            }
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
            Ok(answer::json(StatusCode::OK, &status))
        }
    }
}

/// DELETE of a collection.
pub(super) fn delete_collection(store: &Store, call: &Call) -> Answer {
    let filter = Filter::parse(call)?;
    let options = delete_options(call)?;
    let namespace = Some(call.address.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let (version, mut items) = store.list_stored(&call.address.res, namespace);
    items.retain(|stored| filter.matches(&stored.value));
    for stored in &items {
        let (namespace, name) = (object::namespace(&stored.value), object::name(&stored.value));
        match store.delete_with(&call.address.res, namespace, name, &options) {
            Err(problem) if !problem.is_not_found() => return Err(problem),
            _ => {}
        }
    }
    let items: Vec<Arc<Stored>> = items;
    let meta = json!({"resourceVersion": version.to_string()});
    Ok(answer::bytes(StatusCode::OK, answer::JSON, call.lens(store).many(&items, &meta)))
}
