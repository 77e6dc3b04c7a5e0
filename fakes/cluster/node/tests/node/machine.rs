//! The machine under the kubelet: it restarts, and its memory runs out.

use cluster_api::kinds::NODES;
use cluster_api::object;
use serde_json::{Value, json};

use crate::world::{World, in_world, pod};

fn pressure(w: &World) -> Value {
    let node = w.store.get(&NODES, "", "appliance").unwrap();
    object::condition(&node, "MemoryPressure").unwrap().clone()
}

/// Asks for memory.
fn asks(memory: &str) -> Value {
    json!({"resources": {"requests": {"memory": memory}}})
}

#[test]
fn a_machine_that_restarts_runs_its_pods_again_from_their_init_containers_on() {
    in_world(|w| async move {
        let first = json!({"initContainers": [{"name": "first", "image": "test/done:1"}]});
        w.create(pod("web", "test/sleep:1", json!({}), first));
        w.until_phase(10, "web", "Running").await;
        let before = w.stub.started.lock().unwrap().len();
        w.node.power_off();
        w.seconds(20).await;
        assert_eq!(w.container("web")["restartCount"], 0, "nobody writes while the machine is off");
        w.node.power_on();
        w.until_event(20, "appliance", "Node appliance has been rebooted").await;
        w.until(20, "it runs again", |w| {
            w.container("web")["restartCount"] == 1 && w.container("web")["ready"] == true
        })
        .await;
        let started: Vec<String> =
            w.stub.started.lock().unwrap()[before..].iter().map(|it| it.container.clone()).collect();
        assert_eq!(started, ["first", "app"]);
        assert!(w.has_event("web", "Pod sandbox changed"), "{:#?}", w.events("web"));
    });
}

#[test]
fn a_pod_that_had_ended_stays_ended_when_the_machine_restarts() {
    in_world(|w| async move {
        w.create(pod("job", "test/done:1", json!({}), json!({"restartPolicy": "Never"})));
        w.until_phase(10, "job", "Succeeded").await;
        let before = w.stub.started.lock().unwrap().len();
        w.node.power_off();
        w.seconds(20).await;
        w.node.power_on();
        w.seconds(60).await;
        assert_eq!(w.get("job")["status"]["phase"], "Succeeded");
        assert_eq!(w.stub.started.lock().unwrap().len(), before);
    });
}

#[test]
fn without_memory_the_pod_goes_that_takes_most_beyond_what_it_asked_for() {
    in_world(|w| async move {
        w.pod("small", "test/sleep:1", asks("64Mi"));
        w.pod("large", "test/sleep:1", asks("512Mi"));
        w.until_phase(10, "small", "Running").await;
        w.until_phase(10, "large", "Running").await;
        w.node.leave_memory(Some(60 << 20));
        w.until(15, "the kubelet says so", |w| pressure(w)["status"] == "True").await;
        assert_eq!(pressure(&w)["reason"], "KubeletHasInsufficientMemory");
        w.until_phase(20, "large", "Failed").await;
        let large = w.get("large");
        assert_eq!(large["status"]["reason"], "Evicted");
        let why = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 61440Ki. \
                   Container app was using 576716Ki, request is 512Mi, has larger consumption of memory. ";
        assert_eq!(large["status"]["message"], why);
        w.seconds(120).await;
        assert_eq!(w.get("small")["status"]["phase"], "Running", "one was enough");
        assert_eq!(pressure(&w)["status"], "True", "it has to be enough for a while");
        w.seconds(300).await;
        assert_eq!(pressure(&w)["status"], "False");
        assert!(w.has_event("appliance", "status is now: NodeHasSufficientMemory"));
    });
}

#[test]
fn what_the_cluster_cannot_do_without_is_not_evicted() {
    in_world(|w| async move {
        let critical = json!({"priorityClassName": "system-cluster-critical"});
        w.create(pod("dns", "test/sleep:1", asks("512Mi"), critical));
        w.until_phase(10, "dns", "Running").await;
        w.node.leave_memory(Some(0));
        w.until(15, "the kubelet says so", |w| pressure(w)["status"] == "True").await;
        w.seconds(60).await;
        assert_eq!(w.get("dns")["status"]["phase"], "Running");
        w.node.leave_memory(None);
        w.until(330, "it is enough again", |w| pressure(w)["status"] == "False").await;
    });
}
