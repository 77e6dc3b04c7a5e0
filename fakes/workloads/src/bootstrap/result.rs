//! What the cluster is told: a ConfigMap that belongs to the volume whose database is ready now.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::context::Context;
use crate::kubernetes::{Api, ApiError};

const NAME: &str = "appliance-bootstrap-result";

/// Writes the result.
pub(crate) async fn record(context: &Context, mode: &str, users: u64) -> Result<(), ApiError> {
    let api = Api::in_cluster(context)?;
    let namespace = context.text("POD_NAMESPACE", "msp");
    let claim = context.text("POSTGRES_CLAIM", "alga-core-sebastian-postgres-data");
    let path = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}");
    let volume = api.call(context, Method::GET, &path, None).await?;
    let body = document(context, &namespace, &claim, &volume["metadata"]["uid"], mode, users);
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    match api.call(context, Method::POST, &path, Some(&body)).await {
        Err(error) if error.is(StatusCode::CONFLICT) => {
            let patch = json!({"metadata": {"ownerReferences": body["metadata"]["ownerReferences"]}, "data": body["data"]});
            api.call(context, Method::PATCH, &format!("{path}/{NAME}"), Some(&patch)).await?;
        }
        other => {
            other?;
        }
    }
    Ok(())
}

fn document(context: &Context, namespace: &str, claim: &str, uid: &Value, mode: &str, users: u64) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": NAME,
            "namespace": namespace,
            // The result is worth as much as the volume: a new volume has none.
            "ownerReferences": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim, "uid": uid}],
        },
        "data": {
            "revision": context.text("RELEASE_REVISION", "1"),
            "mode": mode,
            "usersCount": users.to_string(),
            "finishedAt": context.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "pvcUid": uid,
        },
    })
}
