//! What is done to the cluster: manifests applied, objects annotated, scaled and deleted.

use std::path::Path;
use std::time::Duration;

use cluster_api::KindInfo;
use fake_cluster::{Clock, Cluster};
use serde_json::{Value, json};

use super::ReplayError;
use super::commands::{self, Hand};
use super::lab::Lab;
use super::{artifacts, deeds};
use crate::fidelity::case::{Action, Case, Step};
use crate::recording::{Api, Notes, watched};

/// Reads the documents of a manifest.
pub(super) fn documents(text: &str, file: &Path) -> Result<Vec<Value>, ReplayError> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| ReplayError::Manifest {
        file: file.display().to_string(),
        message: error.to_string(),
    })?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Makes the case's namespaces, as its recorder did.
pub(super) async fn make_namespaces(case: &Case, api: &Api) -> Result<(), ReplayError> {
    for name in &case.namespaces {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        api.create("/api/v1/namespaces", &namespace).await.map_err(|message| refused(case, &message))?;
    }
    Ok(())
}

/// Does one thing.
pub(super) async fn take(
    step: &Step,
    case: &Case,
    lab: &Lab,
    api: &Api,
    notes: &Notes,
) -> Result<(), ReplayError> {
    match &step.what {
        Action::Apply(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| ReplayError::Manifest {
                file: file.display().to_string(),
                message: error.to_string(),
            })?;
            let clock = lab.cluster.store().clock();
            let hand = Some(clock);
            spend(hand, KUBECTL_STARTS).await;
            for document in documents(&text, file)? {
                spend(hand, KUBECTL_APPLIES).await;
                // What the API refuses was refused to the recorder as well; the rest is applied all the same.
                if let Err(words) = apply(&lab.cluster, api, &document, &case.namespaces[0]).await {
                    notes.refused(format!("$ kubectl apply: {words}"));
                }
            }
            Ok(())
        }
        Action::Reconcile(object) => reconcile(case, lab, api, object).await,
        Action::Push { push } => artifacts::push(case, push, &lab.registry.control()),
        Action::Run(words) => commands::run(&Hand { case, lab, api }, words).await,
        Action::Do(words) => deeds::done(&Hand { case, lab, api }, words).await,
    }
}

/// How long kubectl takes to begin, and for an object.
const KUBECTL_STARTS: Duration = Duration::from_millis(85);
const KUBECTL_APPLIES: Duration = Duration::from_millis(13);

/// The controllers are at work before the last object is there.
async fn spend(clock: Option<&Clock>, time: Duration) {
    if let Some(clock) = clock {
        clock.sleep(time).await;
    }
}

/// Applies one object, as `kubectl apply` does.
pub(super) async fn apply(
    cluster: &Cluster,
    api: &Api,
    object: &Value,
    namespace: &str,
) -> Result<Value, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let Some(info) = cluster.store().resolve_kind(&version, &kind) else {
        return Err(format!("no matches for kind {kind:?} in version {version:?}"));
    };
    let mut object = object.clone();
    if info.namespaced && object["metadata"]["namespace"].is_null() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    let (namespace, name) = (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
    api.apply(&path(&info, &version, &namespace, &name), &object).await
}

async fn reconcile(case: &Case, lab: &Lab, api: &Api, object: &str) -> Result<(), ReplayError> {
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let plural = kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
    let at = lab.cluster.store().clock().now().to_string();
    for namespace in &case.namespaces {
        let Some(path) = watched(&plural, Some(namespace)) else {
            return Err(unknown(case, object));
        };
        let path = format!("{path}/{name}");
        if api.get(&path).await.is_ok() {
            let patch = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": at}}});
            let _ = api.merge(&path, &patch).await;
            return Ok(());
        }
    }
    Err(unknown(case, object))
}

/// Where an object is.
pub(super) fn path(info: &KindInfo, api_version: &str, namespace: &str, name: &str) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let plural = &info.res.plural;
    if info.namespaced {
        format!("/{root}/{api_version}/namespaces/{namespace}/{plural}/{name}")
    } else {
        format!("/{root}/{api_version}/{plural}/{name}")
    }
}

fn refused(case: &Case, message: &str) -> ReplayError {
    ReplayError::Manifest { file: case.name.clone(), message: message.to_owned() }
}

pub(super) fn unknown(case: &Case, what: &str) -> ReplayError {
    ReplayError::Unknown {
        case: case.name.clone(),
        what: what.to_owned(),
        known: "docs/fidelity.md lists causes and steps".to_owned(),
    }
}
