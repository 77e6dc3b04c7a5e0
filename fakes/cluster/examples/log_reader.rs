//! A reader of logs: follows a container's lines while it writes them, an hour of its time in a moment.

use std::error::Error;
use std::time::Duration;

use fake_cluster::{Clock, Cluster, ClusterConfig, FieldRuntime, Options, Programs};
use futures::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, Config};
use serde_json::json;

async fn example(clock: &Clock) -> Result<Vec<String>, Box<dyn Error>> {
    let programs = Programs::new().image("clock:1", |process| async move {
        for tick in 1..=4 {
            process.clock.sleep(Duration::from_secs(900)).await;
            process.log.line(&format!("{} {tick}", process.env("SAYS").unwrap_or_default()));
        }
        0
    });
    let cluster = Cluster::start_with(ClusterConfig::new(clock)?, programs).await?;
    let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let pods: Api<Pod> = Api::default_namespaced(Client::try_from(config)?);

    let pod = json!({"metadata": {"name": "clock"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "clock", "image": "clock:1", "env": [{"name": "SAYS", "value": "tick"}]}]}});
    pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
    await_condition(pods.clone(), "clock", conditions::is_pod_running()).await?;

    let follow = LogParams { follow: true, timestamps: true, ..LogParams::default() };
    let lines = pods.log_stream("clock", &follow).await?.lines().try_collect().await?;
    cluster.stop().await;
    Ok(lines)
}

/// Ends with the container.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = FieldRuntime::start(Options { speed: 3600.0 })?;
    let lines = world.block_on(example(world.clock()))?;
    let said: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    if said == ["tick 1", "tick 2", "tick 3", "tick 4"] { Ok(()) } else { Err(format!("{said:?}").into()) }
}
