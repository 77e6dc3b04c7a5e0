//! Subresources other than the status: scale, log, binding, eviction, finalize, token.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Shared;
use super::answer::{self, Answer};
use super::call::Call;
use super::change::Patch;
use super::{disruption, streaming};
use crate::node::LogOptions;
use crate::store::{DeleteOptions, Deleted, Propagation, Run, Subresource};
use crate::{ApiError, Store, kinds, object};

/// Answers a call about a subresource.
pub(super) async fn serve(shared: &Shared, call: &Call) -> Answer {
    let store = &shared.store;
    let pod = call.address.res == kinds::PODS;
    match (call.address.sub.as_str(), &call.method) {
        ("scale", _) if call.info.scale.is_some() => scale(store, call),
        ("log", &Method::GET) if pod => log(shared, call).await,
        ("exec" | "attach" | "portforward", &Method::GET | &Method::POST) if pod => {
            existing(store, call)?;
            streaming::serve(shared, call).await
        }
        ("binding", &Method::POST) if pod => bind(store, call),
        ("eviction", &Method::POST) if pod => evict(store, call),
        ("finalize", &Method::PUT) if call.address.res == kinds::NAMESPACES => finalize(store, call),
        ("token", &Method::POST) if call.address.res == kinds::SERVICE_ACCOUNTS => token(shared, call),
        (
            "scale" | "log" | "binding" | "eviction" | "finalize" | "token" | "exec" | "attach"
            | "portforward",
            _,
        ) => Err(ApiError::method_not_allowed()),
        _ => Err(ApiError::no_such_path()),
    }
}

fn existing(store: &Store, call: &Call) -> Result<std::sync::Arc<Value>, ApiError> {
    let address = &call.address;
    store
        .get(&address.res, &address.namespace, &address.name)
        .ok_or_else(|| ApiError::not_found(&address.res, &address.name))
}

fn at_path<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.trim_start_matches('.').split('.').fold(value, |value, part| &value[part])
}

fn scale_of(value: &Value, [wanted, actual, selector]: &[String; 3]) -> Value {
    let selected = match at_path(value, selector) {
        Value::String(text) => text.clone(),
        _ => labels_text(&value["spec"]["selector"]["matchLabels"]),
    };
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": object::name(value), "namespace": object::namespace(value), "uid": object::uid(value),
            "resourceVersion": object::resource_version(value), "creationTimestamp": value["metadata"]["creationTimestamp"],
        },
        "spec": {"replicas": at_path(value, wanted).as_i64().unwrap_or(0)},
        "status": {"replicas": at_path(value, actual).as_i64().unwrap_or(0), "selector": selected},
    })
}

fn labels_text(labels: &Value) -> String {
    let pairs: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    pairs.join(",")
}

fn scale(store: &Store, call: &Call) -> Answer {
    let Some(paths) = &call.info.scale else { return Err(ApiError::no_such_path()) };
    let current = scale_of(&*existing(store, call)?, paths);
    let wanted = match call.method {
        Method::GET => return Ok(answer::json(StatusCode::OK, &current)),
        Method::PUT => call.value()?,
        Method::PATCH => {
            let kind = call.content_type.split(';').next().unwrap_or("").trim();
            let mut wanted = current;
            Patch::parse(call, kind)?.apply(&mut wanted)?;
            wanted
        }
        _ => return Err(ApiError::method_not_allowed()),
    };
    let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
    let address = &call.address;
    let write = call.write();
    let stored = store.rewrite(
        &address.res,
        &address.namespace,
        &address.name,
        Subresource::Main,
        write,
        |_, old| {
            let mut new = old.clone();
            let version = object::resource_version(&wanted);
            if !version.is_empty() {
                new["metadata"]["resourceVersion"] = json!(version);
            }
            let parts: Vec<&str> = paths[0].trim_start_matches('.').split('.').collect();
            if let Some((last, holders)) = parts.split_last() {
                let holder = holders.iter().fold(&mut new, |value, part| object::child(value, part));
                holder[*last] = json!(replicas);
            }
            Ok(new)
        },
    )?;
    Ok(answer::json(StatusCode::OK, &scale_of(&stored.value, paths)))
}

async fn log(shared: &Shared, call: &Call) -> Answer {
    existing(&shared.store, call)?;
    let query = &call.query;
    let options = LogOptions {
        container: query.get("container").map(str::to_owned),
        follow: query.says("follow"),
        previous: query.says("previous"),
        tail_lines: query.number("tailLines"),
        since_seconds: query.number("sinceSeconds"),
        since_time: query.get("sinceTime").and_then(|text| text.parse().ok()),
        timestamps: query.says("timestamps"),
        limit_bytes: query.number("limitBytes"),
    };
    let log = shared.node.logs(&call.address.namespace, &call.address.name, options).await?;
    let stop = shared.stop.clone();
    let log = futures::StreamExt::take_until(log, async move { stop.cancelled().await });
    Ok(answer::stream("text/plain", log))
}

fn created() -> Answer {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(answer::json(StatusCode::CREATED, &status))
}

fn bind(store: &Store, call: &Call) -> Answer {
    let node = call.value()?["target"]["name"].as_str().unwrap_or("").to_owned();
    let address = &call.address;
    let pod = existing(store, call)?;
    if let Some(taken) = pod["spec"]["nodeName"].as_str().filter(|name| !name.is_empty()) {
        let why = format!("pod {} is already assigned to node \"{taken}\"", address.name);
        return Err(ApiError::conflict(&kinds::PODS, &address.name, &why));
    }
    if call.run() == Run::Commit {
        store.modify(&address.res, &address.namespace, &address.name, |pod| {
            pod["spec"]["nodeName"] = json!(node)
        })?;
    }
    created()
}

fn evict(store: &Store, call: &Call) -> Answer {
    let body = call.value()?;
    let mut options = DeleteOptions::new(Propagation::Background);
    let asked = &body["deleteOptions"];
    options.grace = asked["gracePeriodSeconds"].as_i64();
    options.uid = asked["preconditions"]["uid"].as_str().map(str::to_owned);
    options.version = asked["preconditions"]["resourceVersion"].as_str().map(str::to_owned);
    let dry = asked["dryRun"].as_array().is_some_and(|list| !list.is_empty());
    options.run = if dry { Run::Dry } else { call.run() };
    let address = &call.address;
    let pod = existing(store, call)?;
    disruption::permit(store, &pod)?;
    match store.delete_with(&address.res, &address.namespace, &address.name, &options)? {
        Deleted::Gone(_) | Deleted::Pending(_) => created(),
    }
}

/// PUT of `namespaces/x/finalize`: only the finalizers of the specification change.
fn finalize(store: &Store, call: &Call) -> Answer {
    let finalizers = call.value()?["spec"]["finalizers"].clone();
    let object = store.modify(&call.address.res, "", &call.address.name, |namespace| {
        object::child(namespace, "spec")["finalizers"] =
            if finalizers.is_null() { json!([]) } else { finalizers };
    })?;
    Ok(answer::json(StatusCode::OK, &object))
}

fn token(shared: &Shared, call: &Call) -> Answer {
    existing(&shared.store, call)?;
    let mut request = call.value()?;
    let pod = request["spec"]["boundObjectRef"]["name"].as_str().unwrap_or("").to_owned();
    let token = shared.tokens.service_account(&call.address.namespace, &call.address.name, &pod);
    let seconds = request["spec"]["expirationSeconds"].as_u64().unwrap_or(3600);
    let expires = shared.store.clock().now() + std::time::Duration::from_secs(seconds);
    request["status"] = json!({"token": token, "expirationTimestamp": object::timestamp(expires)});
    Ok(answer::json(StatusCode::CREATED, &request))
}
