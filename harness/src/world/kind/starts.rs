//! Notes what containers were started with, as the node's runtime knows it.

use cluster_api::{Store, kinds};
use jiff::Timestamp;
use serde_json::Value;

use super::cluster::Cluster;
use super::machine::started;
use crate::world::starts::{Start, Starts};

/// Where the containers are whose starts anybody asks for.
const NAMESPACES: [&str; 2] = ["msp", "appliance-system"];

/// A container of a pod's status.
struct Seen {
    id: String,
    pod: String,
    container: String,
    at: Timestamp,
}

/// Notes every new container; never returns.
pub(super) async fn note(seen: Store, cluster: Cluster, starts: Starts) {
    let mut changes = seen.changes();
    let mut known: Vec<String> = Vec::new();
    loop {
        changes.borrow_and_update();
        let pods = NAMESPACES.iter().flat_map(|namespace| seen.list(&kinds::PODS, Some(namespace)));
        let new: Vec<Seen> =
            pods.flat_map(|pod| containers(&pod)).filter(|it| !known.contains(&it.id)).collect();
        for Seen { id, pod, container, at } in new {
            // One that is gone already has nothing to tell.
            if let Ok((arguments, environment)) = started(&cluster, &id).await {
                starts.note(Start { at, pod, container, arguments, environment });
            }
            known.push(id);
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// The containers that a pod's status names, also those that came before the present ones.
fn containers(pod: &Value) -> Vec<Seen> {
    let lists = ["initContainerStatuses", "containerStatuses"].map(|list| &pod["status"][list]);
    let statuses = lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    statuses
        .flat_map(|status| ["state", "lastState"].map(|of| (status, &status[of])))
        .flat_map(|(status, state)| ["running", "terminated"].map(|of| (status, of, &state[of])))
        .filter_map(|(status, of, state)| {
            let id = if of == "running" { &status["containerID"] } else { &state["containerID"] };
            Some(Seen {
                id: id.as_str()?.rsplit('/').next()?.to_owned(),
                pod: name.to_owned(),
                container: status["name"].as_str()?.to_owned(),
                at: state["startedAt"].as_str()?.parse().ok()?,
            })
        })
        .collect()
}
