//! Many pods and events in a standing cluster, and changes of them.

use std::error::Error;
use std::path::Path;

use field_clock::Clock;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{Request, request::Builder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

/// Requests under way at once.
const AT_ONCE: usize = 32;
/// Pods and events that change in a round.
const CHANGED: usize = 10;
const PODS: &str = "/api/v1/namespaces/msp/pods";
const EVENTS: &str = "/api/v1/namespaces/msp/events";

/// A cluster full of pods and events.
pub(crate) struct Crowd {
    client: Client,
    pods: usize,
    /// What the service account's directory holds.
    pub(crate) token: String,
    pub(crate) authority: Vec<u8>,
    /// Host and port of the API.
    pub(crate) api: (String, String),
}

impl Crowd {
    /// Fills a cluster.
    pub(crate) async fn gather(
        kubeconfig: &Path,
        pods: usize,
        events: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(text, &KubeConfigOptions::default()).await?;
        let token = serde_json::to_value(&Kubeconfig::read_from(kubeconfig)?)?;
        let token =
            token["users"][0]["user"]["token"].as_str().ok_or("a token in the kubeconfig")?.to_owned();
        let authority = std::fs::read_to_string(kubeconfig)?;
        let authority =
            authority.lines().find_map(|line| line.trim().strip_prefix("certificate-authority-data: "));
        let authority = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            authority.ok_or("an authority in the kubeconfig")?,
        )?;
        let url = config.cluster_url.clone();
        let host = url.host().ok_or("a host in the kubeconfig")?.to_owned();
        let port = url.port_u16().unwrap_or(443).to_string();
        let client = Client::try_from(config)?;
        let crowd = Self { client, pods, token, authority, api: (host, port) };
        stream::iter((0..pods).map(|number| crowd.add_pod(number)))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        stream::iter(
            (0..events).map(|number| crowd.add_event("crowd", number, "Normal", "Pulled image of the crowd")),
        )
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
        Ok(crowd)
    }

    /// How many of a kind there are in all namespaces.
    pub(crate) async fn count(&self, plural: &str) -> Result<usize, Box<dyn Error>> {
        let list: Value =
            self.client.request(Request::get(format!("/api/v1/{plural}")).body(Vec::new())?).await?;
        Ok(list["items"].as_array().map_or(0, Vec::len))
    }

    /// A pod that runs on a machine which nobody looks after, and is ready.
    async fn add_pod(&self, number: usize) -> Result<(), Box<dyn Error>> {
        let name = pod_name(number);
        self.send(
            Request::post(PODS),
            &json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": name, "namespace": "msp", "labels": { "app": "crowd" } },
                "spec": { "nodeName": "elsewhere", "containers": [{ "name": "main", "image": "crowd:1" }] },
            }),
        )
        .await?;
        let now = Clock::wall().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let status = json!({ "status": {
            "phase": "Running", "podIP": "10.9.9.9",
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": now }],
            "containerStatuses": [{
                "name": "main", "image": "crowd:1", "imageID": "crowd@sha256:0", "ready": true, "restartCount": 0,
                "state": { "running": { "startedAt": now } },
            }],
        } });
        self.patch(&format!("{PODS}/{name}/status"), &status).await
    }

    async fn add_event(
        &self,
        of: &str,
        number: usize,
        kind: &str,
        message: &str,
    ) -> Result<(), Box<dyn Error>> {
        // The newest events of a document are those with the newest time.
        let now = Clock::wall().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let pod = pod_name(number % self.pods);
        self.send(
            Request::post(EVENTS),
            &json!({
                "apiVersion": "v1", "kind": "Event", "type": kind, "reason": "Crowded", "message": message,
                "metadata": { "name": format!("{pod}.{of}.{number}"), "namespace": "msp" },
                "involvedObject": { "apiVersion": "v1", "kind": "Pod", "namespace": "msp", "name": pod },
                "firstTimestamp": now, "lastTimestamp": now, "count": 1,
                "source": { "component": "kubelet" },
            }),
        )
        .await
    }

    /// Changes some pods, writes some events, and selects another release; what a document must then say.
    pub(crate) async fn change(&self, round: usize) -> Result<String, Box<dyn Error>> {
        let first = round * CHANGED;
        for number in first..first + CHANGED {
            let label = json!({ "metadata": { "labels": { "round": round.to_string() } } });
            self.patch(&format!("{PODS}/{}", pod_name(number % self.pods)), &label).await?;
            self.add_event(&format!("round-{round}"), number, "Normal", "Started container main").await?;
        }
        let said = format!("stable-{round}");
        let selection = json!({ "data": { "selectedChannel": said } });
        self.patch("/api/v1/namespaces/alga-system/configmaps/appliance-release-selection", &selection)
            .await?;
        Ok(said)
    }

    async fn patch(&self, path: &str, change: &Value) -> Result<(), Box<dyn Error>> {
        self.send(Request::patch(path).header("content-type", "application/merge-patch+json"), change).await
    }

    async fn send(&self, request: Builder, body: &Value) -> Result<(), Box<dyn Error>> {
        let has_type = request.headers_ref().is_some_and(|it| it.contains_key("content-type"));
        let request = if has_type { request } else { request.header("content-type", "application/json") };
        let _: Value = self.client.request(request.body(body.to_string().into_bytes())?).await?;
        Ok(())
    }
}

fn pod_name(number: usize) -> String {
    format!("crowd-{number:04}")
}
