//! A controller of kube-rs with a resource of its own: every `Web` gets a Deployment, and says how many of its pods are ready.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use fake_cluster::{Clock, Cluster, ClusterConfig, FieldRuntime, Options, Programs};
use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::watcher;
use kube::{Client, Config, CustomResource, CustomResourceExt, Resource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a `Web` asks for.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "example.com", version = "v1", kind = "Web", namespaced, status = "WebStatus")]
pub(crate) struct WebSpec {
    image: String,
    replicas: i32,
}

/// What became of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
pub(crate) struct WebStatus {
    ready: i32,
}

async fn reconcile(web: Arc<Web>, client: Arc<Client>) -> Result<Action, kube::Error> {
    let namespace = web.namespace().unwrap_or_default();
    let deployments: Api<Deployment> = Api::namespaced(Client::clone(&client), &namespace);
    let name = web.name_any();
    let labels = json!({"web": name});
    let wanted = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "ownerReferences": [web.controller_owner_ref(&())]},
        "spec": {"replicas": web.spec.replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": web.spec.image}]}}}
    });
    let applied =
        deployments.patch(&name, &PatchParams::apply("web-controller"), &Patch::Apply(&wanted)).await?;
    let ready = applied.status.and_then(|status| status.ready_replicas).unwrap_or(0);
    if web.status.as_ref().map(|status| status.ready) != Some(ready) {
        let webs: Api<Web> = Api::namespaced(Client::clone(&client), &namespace);
        let status = Patch::Merge(json!({"status": {"ready": ready}}));
        webs.patch_status(&name, &PatchParams::default(), &status).await?;
    }
    Ok(Action::await_change())
}

async fn example(clock: &Clock) -> Result<(), Box<dyn Error>> {
    let programs = Programs::new().pause("web:1");
    let cluster = Cluster::start_with(ClusterConfig::new(clock)?, programs).await?;
    let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;

    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    definitions.create(&PostParams::default(), &Web::crd()).await?;
    await_condition(definitions, Web::crd_name(), conditions::is_crd_established()).await?;

    let webs: Api<Web> = Api::default_namespaced(client.clone());
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let controller = Controller::new(webs.clone(), watcher::Config::default())
        .owns(deployments.clone(), watcher::Config::default())
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(1)), Arc::new(client))
        .for_each(|_| std::future::ready(()));
    let controller = tokio::spawn(controller);

    let shop = Web::new("shop", WebSpec { image: "web:1".to_owned(), replicas: 3 });
    webs.create(&PostParams::default(), &shop).await?;
    let all_ready = |web: Option<&Web>| web.and_then(|w| w.status.as_ref()).is_some_and(|s| s.ready == 3);
    await_condition(webs.clone(), "shop", all_ready).await?;

    // What the resource owns goes with it.
    let uid = webs.get("shop").await?.uid().unwrap_or_default();
    let owned = deployments.get("shop").await?.uid().unwrap_or_default();
    webs.delete("shop", &DeleteParams::default()).await?;
    await_condition(webs, "shop", conditions::is_deleted(&uid)).await?;
    await_condition(deployments, "shop", conditions::is_deleted(&owned)).await?;
    controller.abort();
    cluster.stop().await;
    Ok(())
}

/// Ends when all of it has happened.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = FieldRuntime::start(Options { speed: 60.0 })?;
    world.block_on(example(world.clock()))
}
