//! What the API tells about itself: groups, versions, resources, and just enough OpenAPI.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::openapi;
use crate::kind::KindInfo;
use crate::{ApiError, Store, kinds};

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// One version of a kind.
pub(super) type Served = (Arc<KindInfo>, String);

/// The kinds of each group version, preferred versions first.
pub(super) fn group_versions(store: &Store) -> BTreeMap<String, Vec<(String, Vec<Served>)>> {
    let mut groups: BTreeMap<String, Vec<(String, Vec<Served>)>> = BTreeMap::new();
    for info in store.kinds() {
        let versions = groups.entry(info.res.group.to_string()).or_default();
        for served in &info.versions {
            let entry = (info.clone(), served.name.clone());
            match versions.iter_mut().find(|(version, _)| *version == served.name) {
                Some((_, kinds)) => kinds.push(entry),
                None => versions.push((served.name.clone(), vec![entry])),
            }
        }
    }
    for versions in groups.values_mut() {
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(rank(version)));
    }
    groups
}

/// Stable before beta before alpha, higher numbers first.
fn rank(version: &str) -> (u8, u32, u32) {
    let digits =
        |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let rest = version.trim_start_matches('v');
    let major = digits(rest);
    let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if let Some(minor) = tail.strip_prefix("beta") {
        (1, major, digits(minor))
    } else if let Some(minor) = tail.strip_prefix("alpha") {
        (0, major, digits(minor))
    } else {
        (2, major, 0)
    }
}

/// `/api`, `/apis` and what is below that is no resource.
pub(super) fn serve(store: &Store, path: &str, accept: &str) -> Option<Answer> {
    let aggregated = accept.contains("g=apidiscovery.k8s.io") && accept.contains("v=v2;");
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["api"] if aggregated => Some(aggregate(store, |group| group.is_empty())),
        ["apis"] if aggregated => Some(aggregate(store, |group| !group.is_empty())),
        ["api"] => Some(Ok(answer::json(
            StatusCode::OK,
            &json!({
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
            }),
        ))),
        ["apis"] => Some(Ok(answer::json(StatusCode::OK, &groups(store)))),
        ["apis", group] => {
            let known = group_versions(store);
            let Some(versions) = known.get(*group) else { return Some(Err(ApiError::no_such_path())) };
            let mut answer = plain_group(group, versions);
            answer["kind"] = json!("APIGroup");
            answer["apiVersion"] = json!("v1");
            Some(Ok(answer::json(StatusCode::OK, &answer)))
        }
        ["openapi", "v3"] => Some(Ok(answer::json(StatusCode::OK, &openapi::index(store)))),
        ["openapi", "v3", "api", version] => Some(openapi::document(store, "", version)),
        ["openapi", "v3", "apis", group, version] => Some(openapi::document(store, group, version)),
        _ => None,
    }
}

fn plain_group(group: &str, versions: &[(String, Vec<Served>)]) -> Value {
    let version = |version: &str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let all: Vec<Value> = versions.iter().map(|(name, _)| version(name)).collect();
    json!({"name": group, "versions": all, "preferredVersion": all.first()})
}

fn groups(store: &Store) -> Value {
    let groups: Vec<Value> = group_versions(store)
        .iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, versions)| plain_group(group, versions))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// The subresources of a kind: name, kind, group, version, verbs.
fn subresources(
    info: &KindInfo,
    version: &str,
) -> Vec<(&'static str, String, String, String, Vec<&'static str>)> {
    let own = |name, verbs| (name, info.kind.clone(), info.res.group.to_string(), version.to_owned(), verbs);
    let change = || vec!["get", "patch", "update"];
    let mut all = Vec::new();
    if info.status {
        all.push(own("status", change()));
    }
    if info.scale.is_some() {
        all.push(("scale", "Scale".to_owned(), "autoscaling".to_owned(), "v1".to_owned(), change()));
    }
    if info.res == kinds::PODS {
        all.push(own("log", vec!["get"]));
        for (name, kind) in [
            ("attach", "PodAttachOptions"),
            ("exec", "PodExecOptions"),
            ("portforward", "PodPortForwardOptions"),
        ] {
            all.push((name, kind.to_owned(), String::new(), "v1".to_owned(), vec!["create", "get"]));
        }
        all.push(("binding", "Binding".to_owned(), String::new(), "v1".to_owned(), vec!["create"]));
        all.push(("eviction", "Eviction".to_owned(), "policy".to_owned(), "v1".to_owned(), vec!["create"]));
    } else if info.res == kinds::NAMESPACES {
        all.push(own("finalize", vec!["update"]));
    } else if info.res == kinds::SERVICE_ACCOUNTS {
        let group = "authentication.k8s.io".to_owned();
        all.push(("token", "TokenRequest".to_owned(), group, "v1".to_owned(), vec!["create"]));
    }
    all
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub(super) fn resources(store: &Store, group: &str, version: &str) -> Answer {
    let known = group_versions(store);
    let found = known.get(group).and_then(|versions| versions.iter().find(|(name, _)| name == version));
    let Some((_, kinds)) = found else { return Err(ApiError::no_such_path()) };
    let mut resources = Vec::new();
    for (info, version) in kinds {
        let mut resource = json!({
            "name": info.res.plural, "singularName": info.singular, "namespaced": info.namespaced, "kind": info.kind,
            "verbs": VERBS,
        });
        if !info.short_names.is_empty() {
            resource["shortNames"] = json!(info.short_names);
        }
        if !info.categories.is_empty() {
            resource["categories"] = json!(info.categories);
        }
        resources.push(resource);
        for (name, kind, group, version, verbs) in subresources(info, version) {
            let mut resource = json!({
                "name": format!("{}/{name}", info.res.plural), "singularName": "", "namespaced": info.namespaced,
                "kind": kind, "verbs": verbs,
            });
            if group != info.res.group {
                resource["group"] = json!(group);
                resource["version"] = json!(version);
            }
            resources.push(resource);
        }
    }
    let group_version = crate::Res::named(group, "").api_version(version);
    Ok(answer::json(
        StatusCode::OK,
        &json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
        }),
    ))
}

/// Everything in one answer, as newer clients prefer.
fn aggregate(store: &Store, wanted: impl Fn(&str) -> bool) -> Answer {
    let mut items = Vec::new();
    for (group, versions) in group_versions(store).iter().filter(|(group, _)| wanted(group)) {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(version, kinds)| {
                let resources: Vec<Value> =
                    kinds.iter().map(|(info, version)| aggregated(info, version)).collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            })
            .collect();
        let mut meta = json!({"creationTimestamp": null});
        if !group.is_empty() {
            meta["name"] = json!(group);
        }
        items.push(json!({"metadata": meta, "versions": versions}));
    }
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    Ok(answer::bytes(StatusCode::OK, AGGREGATED, list.to_string().into()))
}

fn aggregated(info: &KindInfo, version: &str) -> Value {
    let kind =
        |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let subs: Vec<Value> = subresources(info, version)
        .into_iter()
        .map(|(name, of, group, version, verbs)| {
            json!({"subresource": name, "responseKind": kind(&group, &version, &of), "verbs": verbs})
        })
        .collect();
    let mut resource = json!({
        "resource": info.res.plural,
        "responseKind": kind(&info.res.group, version, &info.kind),
        "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": info.singular,
        "verbs": VERBS,
    });
    for (field, list) in [("shortNames", &info.short_names), ("categories", &info.categories)] {
        if !list.is_empty() {
            resource[field] = json!(list);
        }
    }
    if !subs.is_empty() {
        resource["subresources"] = json!(subs);
    }
    resource
}

pub(super) fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}
