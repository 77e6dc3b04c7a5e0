//! Pods that find no node.

use cluster_api::kinds::{EVENTS, LEASES, NODES};
use serde_json::json;

use crate::world::{in_world, pod};

#[test]
fn shortages_and_missing_claims_read_as_recorded() {
    in_world(|w| async move {
        w.pod("big", "test/sleep:1", json!({"resources": {"requests": {"cpu": "64", "memory": "640Gi"}}}));
        let claim = json!({"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "never-made"}}]});
        w.create(pod("claim", "test/sleep:1", json!({}), claim));
        let text = "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
        w.until_event(3, "big", text).await;
        assert_eq!(w.condition("big", "PodScheduled")["message"], text);
        let text = "0/1 nodes are available: persistentvolumeclaim \"never-made\" not found. not found";
        w.until(3, "the claim is missed", |w| w.condition("claim", "PodScheduled")["message"] == text).await;
        assert!(w.get("big")["status"].get("containerStatuses").is_none());
    });
}

#[test]
fn a_cordoned_node_takes_nobody_until_it_is_open_again() {
    in_world(|w| async move {
        w.store.modify(&NODES, "", "appliance", |node| node["spec"]["unschedulable"] = json!(true)).unwrap();
        w.pod("web", "test/sleep:1", json!({}));
        w.until_event(3, "web", "0/1 nodes are available: 1 node(s) were unschedulable. ").await;
        w.store.modify(&NODES, "", "appliance", |node| node["spec"]["unschedulable"] = json!(false)).unwrap();
        w.until_phase(4, "web", "Running").await;
        assert_eq!(w.get("web")["metadata"]["generation"], 1);
        let told = |w: &crate::world::World, reason: &str| {
            let events = w.store.list(&EVENTS, Some("default"));
            events.iter().any(|event| event["reason"] == reason && event["involvedObject"]["kind"] == "Node")
        };
        w.until(11, "that it is open is told", |w| told(w, "NodeSchedulable")).await;
        assert!(told(&w, "NodeNotSchedulable"));
    });
}

#[test]
fn the_lease_is_renewed_every_ten_seconds_unless_the_node_is_silent() {
    in_world(|w| async move {
        let renewed = || {
            w.store.get(&LEASES, "kube-node-lease", "appliance").unwrap()["spec"]["renewTime"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        w.until(3, "there is a lease", |w| w.store.get(&LEASES, "kube-node-lease", "appliance").is_some())
            .await;
        let first = renewed();
        w.until(11, "it is renewed", |_| renewed() != first).await;
        let second = renewed();
        w.node.stop_kubelet();
        w.seconds(60).await;
        assert_eq!(renewed(), second);
    });
}
