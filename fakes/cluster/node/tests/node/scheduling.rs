//! Pods that find no node.

use cluster_api::kinds::{LEASES, NODES};
use serde_json::json;

use crate::world::{in_world, pod};

#[test]
fn shortages_and_missing_claims_read_as_recorded() {
    in_world(|w| async move {
        w.pod("big", "test/sleep:1", json!({"resources": {"requests": {"cpu": "64", "memory": "640Gi"}}}));
        let claim = json!({"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "never-made"}}]});
        w.create(pod("claim", "test/sleep:1", json!({}), claim));
        w.seconds(2).await;
        let text = "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
        assert_eq!(w.condition("big", "PodScheduled")["message"], text);
        assert!(w.has_event("big", text));
        assert_eq!(w.condition("claim", "PodScheduled")["message"], "0/1 nodes are available: persistentvolumeclaim \"never-made\" not found. not found");
        assert!(w.get("big")["status"].get("containerStatuses").is_none());
    });
}

#[test]
fn a_cordoned_node_takes_nobody_until_it_is_open_again() {
    in_world(|w| async move {
        w.store.modify(&NODES, "", "appliance", |node| node["spec"]["unschedulable"] = json!(true)).unwrap();
        w.pod("web", "test/sleep:1", json!({}));
        w.seconds(2).await;
        assert!(w.has_event("web", "0/1 nodes are available: 1 node(s) were unschedulable. "), "{:#?}", w.events("web"));
        w.store.modify(&NODES, "", "appliance", |node| node["spec"]["unschedulable"] = json!(false)).unwrap();
        w.seconds(3).await;
        assert_eq!(w.get("web")["status"]["phase"], "Running");
        assert_eq!(w.get("web")["metadata"]["generation"], 1);
    });
}

#[test]
fn the_lease_is_renewed_every_ten_seconds_unless_the_node_is_silent() {
    in_world(|w| async move {
        let renewed = || w.store.get(&LEASES, "kube-node-lease", "appliance").unwrap()["spec"]["renewTime"].as_str().unwrap().to_owned();
        w.seconds(1).await;
        let first = renewed();
        w.seconds(10).await;
        let second = renewed();
        assert_ne!(first, second);
        w.node.silence();
        w.seconds(60).await;
        assert_eq!(renewed(), second);
    });
}
