//! From an etcd to a node that is Ready.

use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use super::Target;
use super::journal::Journal;
use super::wait::{Seen, Waiting};
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::report::{Phase, step};

/// Three images are pulled, and started one after the other.
const TO_API: Duration = Duration::from_secs(900);
/// The node's network comes up.
const TO_READY: Duration = Duration::from_secs(600);

/// Waits until the cluster's API answers and its node is Ready.
pub(super) async fn ready(target: &Target, journal: &Journal<'_>) -> Result<(), Failure> {
    let cluster = Cluster::connect(&target.files.kubeconfig()).await?;
    let waiting = |subject: String, within| Waiting {
        clock: target.clock,
        subject,
        within,
        remedy: "Look at `talosctl services`, `talosctl dmesg` and `talosctl logs kubelet`, then run the command again.",
    };
    step(Phase::Talos, &format!("Waiting for the Kubernetes API on {}", target.node_ip));
    waiting(format!("Kubernetes API on {}", target.node_ip), TO_API)
        .until(async || match cluster.client.apiserver_version().await {
            Ok(_) => Seen::Met(()),
            Err(error) => journal.not_yet(&innermost(&error)).await,
        })
        .await?;
    step(Phase::Talos, "Waiting for the node to become Ready");
    let name = target.wish.hostname().map_or_else(|| target.node_ip.to_string(), str::to_owned);
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let ready = waiting(format!("Kubernetes node {name} to become Ready"), TO_READY)
        .until(async || match nodes.list(&ListParams::default()).await {
            Ok(list) => match list.items.iter().find(|node| is_ready(node)) {
                Some(node) => Seen::Met(node.name_any()),
                None => journal.not_yet(&condition(&list.items)).await,
            },
            Err(error) => journal.not_yet(&innermost(&error)).await,
        })
        .await?;
    step(Phase::Talos, &format!("Node {ready} is Ready"));
    Ok(())
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|it| it.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

/// What the node that is not Ready says of it.
fn condition(nodes: &[Node]) -> String {
    let conditions =
        nodes.iter().flat_map(|node| node.status.iter().flat_map(|it| it.conditions.iter().flatten()));
    let ready = conditions.into_iter().find(|it| it.type_ == "Ready");
    match ready {
        Some(it) => it.message.clone().unwrap_or_else(|| "the node is not Ready".to_owned()),
        None => "no node has registered".to_owned(),
    }
}

/// The deepest cause: what wraps it is said by whoever waits.
fn innermost(error: &kube::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
