//! Watches a cluster's collections, as the recorder of the recordings does.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;

use super::api::{Api, is_not_found};
use super::notes::Notes;

/// How long the recorder waits before it opens a watch again.
const AGAIN: Duration = Duration::from_millis(300);
/// How long before it asks again for a kind that the API does not know yet.
const UNTIL_KNOWN: Duration = Duration::from_secs(1);

/// What limits a watch to the objects of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Its path.
    Path,
    /// The case's namespaces.
    Namespaces,
}

/// A collection that is watched.
pub(crate) struct Collection {
    /// The plural of its kind.
    pub(crate) kind: String,
    /// Where it is.
    pub(crate) path: String,
    pub(crate) scope: Scope,
}

/// Watches a collection until it is dropped.
pub(crate) async fn watch(api: Api, notes: Notes, collection: Collection) {
    let Collection { kind, path, scope } = &collection;
    let mut version: Option<String> = None;
    // What the API does not know is waited for, and what came along with it was not there before.
    let mut awaited = false;
    loop {
        if version.is_none() {
            match api.get(path).await {
                Ok(list) => {
                    version = list["metadata"]["resourceVersion"].as_str().map(str::to_owned);
                    if std::mem::take(&mut awaited) {
                        added(&list, &notes, kind, *scope);
                    }
                }
                Err(words) if is_not_found(&words) => {
                    awaited = true;
                    notes.clock().sleep(UNTIL_KNOWN).await;
                    continue;
                }
                Err(words) => {
                    notes.refused(format!("list {kind}: {words}"));
                    notes.clock().sleep(AGAIN).await;
                    continue;
                }
            }
        }
        let from = version.clone().unwrap_or_default();
        let url = format!("{path}?watch=1&allowWatchBookmarks=true&resourceVersion={from}");
        match api.watch(&url).await {
            Ok(response) => {
                let mut rest = Vec::new();
                let mut parts = response.bytes_stream();
                while let Some(Ok(part)) = parts.next().await {
                    rest.extend_from_slice(&part);
                    version = lines(&mut rest, &notes, kind, *scope, version);
                    if version.is_none() {
                        break;
                    }
                }
            }
            // Its definition has been taken away.
            Err(words) if is_not_found(&words) => version = None,
            Err(words) => notes.refused(format!("watch {kind} ended (rc 1) {words}")),
        }
        notes.clock().sleep(AGAIN).await;
    }
}

/// Takes what is listed for what has just been made.
fn added(list: &Value, notes: &Notes, kind: &str, scope: Scope) {
    let singular = list["kind"].as_str().and_then(|kind| kind.strip_suffix("List"));
    for item in list["items"].as_array().into_iter().flatten() {
        let mut object = item.clone();
        // An item of a list need not say what it is.
        if object["kind"].is_null() {
            object["kind"] = singular.into();
            object["apiVersion"] = list["apiVersion"].clone();
        }
        if notes.mine(&object, scope) {
            notes.line(kind, serde_json::json!({"type": "ADDED", "object": object}));
        }
    }
}

/// Takes the whole lines; the version to go on from, or nothing when it has expired.
fn lines(
    rest: &mut Vec<u8>,
    notes: &Notes,
    kind: &str,
    scope: Scope,
    mut version: Option<String>,
) -> Option<String> {
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = rest.drain(..=end).collect();
        let Ok(event) = serde_json::from_slice::<Value>(&line) else { continue };
        let expired = event["type"] == "ERROR";
        let seen = event["object"]["metadata"]["resourceVersion"].as_str();
        version = if expired { None } else { seen.map(str::to_owned).or(version) };
        if expired || event["type"] == "BOOKMARK" || notes.mine(&event["object"], scope) {
            notes.line(kind, event);
        }
        if expired {
            return None;
        }
    }
    version
}

#[cfg(test)]
mod tests {
    use fake_cluster::{Cluster, ClusterConfig, FieldRuntime, Options, Programs};
    use serde_json::json;

    use super::*;
    use crate::recording::{Kubeconfig, Stream};

    fn definition() -> Value {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "kustomizations.kustomize.toolkit.fluxcd.io"}, "spec": {
            "group": "kustomize.toolkit.fluxcd.io", "scope": "Namespaced",
            "names": {"kind": "Kustomization", "listKind": "KustomizationList",
                "plural": "kustomizations", "singular": "kustomization"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}})
    }

    fn kustomization(name: &str, namespace: &str) -> Value {
        json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": namespace}, "spec": {}})
    }

    /// What is noted of Kustomizations while `happens` does something to a new cluster.
    fn noted(happens: impl AsyncFnOnce(&Api)) -> Stream {
        let runtime = FieldRuntime::start(Options::default()).unwrap();
        let config = ClusterConfig::new(runtime.clock()).unwrap();
        let clock = runtime.clock().clone();
        runtime.block_on(async {
            let cluster = Cluster::start_with(config, Programs::new()).await.unwrap();
            let api = Api::of(&Kubeconfig::parse(&cluster.kubeconfig()).unwrap()).unwrap();
            let notes = Notes::new(clock.clone(), clock.now(), vec!["default".to_owned()]);
            let path = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations".to_owned();
            let kind = "kustomizations".to_owned();
            let collection = Collection { kind, path, scope: Scope::Namespaces };
            let watching = tokio::spawn(watch(api.clone(), notes.clone(), collection));
            clock.sleep(Duration::from_secs(60)).await;
            happens(&api).await;
            clock.sleep(Duration::from_secs(10)).await;
            watching.abort();
            cluster.stop().await;
            notes.with(std::mem::take)
        })
    }

    #[test]
    fn a_kind_that_is_not_there_yet_is_waited_for_and_what_came_with_it_was_made_then() {
        let stream = noted(async |api| {
            let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            api.create(definitions, &definition()).await.unwrap();
            let root = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces";
            for (name, namespace) in [("a", "default"), ("b", "kube-system")] {
                let path = format!("{root}/{namespace}/kustomizations");
                api.create(&path, &kustomization(name, namespace)).await.unwrap();
            }
        });
        let names: Vec<_> =
            stream.lines.iter().map(|line| line.event["object"]["metadata"]["name"].clone()).collect();
        assert_eq!(names, [json!("a")], "only what is in the case's namespaces");
        assert_eq!(stream.lines[0].event["type"], "ADDED");
        assert_eq!(stream.lines[0].event["object"]["kind"], "Kustomization");
        assert!(stream.refusals.is_empty(), "{:?}", stream.refusals);
    }
}
