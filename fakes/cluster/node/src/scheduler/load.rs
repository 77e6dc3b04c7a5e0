//! What the pods of a node take of it, kept in step with the pods instead of being counted anew for each.

use std::collections::HashMap;

use cluster_api::object;
use serde_json::Value;

use crate::quantity;

/// Resources that are counted.
pub(super) const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// A pod on a node.
#[derive(Debug)]
struct Occupant {
    node: String,
    requests: [u128; 2],
    ports: Vec<(u64, String)>,
}

/// What is taken of one node.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) pods: u32,
    /// As [`RESOURCES`] names them.
    pub(super) requests: [u128; 2],
    /// Host ports, and how many pods have each.
    ports: HashMap<(u64, String), u32>,
}

/// What is taken of all nodes.
#[derive(Debug, Default)]
pub(super) struct Load {
    occupants: HashMap<(String, String), Occupant>,
    nodes: HashMap<String, Taken>,
    none: Taken,
}

impl Taken {
    /// Whether somebody has one of the host ports of a pod.
    pub(super) fn collides_with(&self, pod: &Value) -> bool {
        host_ports(pod).iter().any(|port| self.ports.contains_key(port))
    }

    fn add(&mut self, occupant: &Occupant) {
        self.pods += 1;
        for (sum, part) in self.requests.iter_mut().zip(occupant.requests) {
            *sum += part;
        }
        for port in &occupant.ports {
            *self.ports.entry(port.clone()).or_default() += 1;
        }
    }

    fn subtract(&mut self, occupant: &Occupant) {
        self.pods -= 1;
        for (sum, part) in self.requests.iter_mut().zip(occupant.requests) {
            *sum -= part;
        }
        for port in &occupant.ports {
            if let Some(count) = self.ports.get_mut(port) {
                *count -= 1;
            }
        }
        self.ports.retain(|_, count| *count > 0);
    }
}

impl Load {
    /// What is taken of a node.
    pub(super) fn of(&self, node: &str) -> &Taken {
        self.nodes.get(node).unwrap_or(&self.none)
    }

    /// A pod that is on a node and has not ended.
    pub(super) fn occupy(&mut self, pod: &Value) {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or("");
        let ports = host_ports(pod);
        let occupant = Occupant { node: node.to_owned(), requests: requests(pod), ports };
        self.vacate(pod);
        self.nodes.entry(occupant.node.clone()).or_default().add(&occupant);
        self.occupants.insert(key(pod), occupant);
    }

    /// A pod that is on no node, or has ended, or is gone.
    pub(super) fn vacate(&mut self, pod: &Value) {
        if let Some(occupant) = self.occupants.remove(&key(pod))
            && let Some(taken) = self.nodes.get_mut(&occupant.node)
        {
            taken.subtract(&occupant);
        }
    }
}

fn key(pod: &Value) -> (String, String) {
    (object::namespace(pod).to_owned(), object::name(pod).to_owned())
}

/// What a pod asks for of each resource: the sum of its containers, or its most demanding init container.
pub(super) fn requests(pod: &Value) -> [u128; 2] {
    RESOURCES.map(|name| {
        let of = |field: &str| {
            let containers = pod["spec"][field].as_array().map_or(&[][..], Vec::as_slice);
            let asked =
                move |c: &Value| quantity::parse(c["resources"]["requests"][name].as_str().unwrap_or("0"));
            containers.iter().map(asked)
        };
        of("containers").sum::<u128>().max(of("initContainers").max().unwrap_or(0))
    })
}

fn host_ports(pod: &Value) -> Vec<(u64, String)> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let ports = containers.flat_map(|c| c["ports"].as_array().into_iter().flatten());
    let taken = ports.filter_map(|port| {
        let number = port["hostPort"].as_u64().filter(|n| *n > 0)?;
        Some((number, port["protocol"].as_str().unwrap_or("TCP").to_owned()))
    });
    taken.collect()
}

#[cfg(test)]
mod tests {
    use super::Load;
    use serde_json::{Value, json};

    fn pod(name: &str, node: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"nodeName": node, "containers": [
            {"resources": {"requests": {"cpu": "500m"}}, "ports": [{"containerPort": 80, "hostPort": 8080}]}]}})
    }

    #[test]
    fn what_a_pod_took_is_free_again_when_it_is_gone() {
        let mut load = Load::default();
        load.occupy(&pod("a", "n"));
        load.occupy(&pod("a", "n"));
        assert_eq!((load.of("n").pods, load.of("n").requests[0]), (1, 500));
        assert!(load.of("n").collides_with(&pod("b", "")));
        assert!(!load.of("other").collides_with(&pod("b", "")));
        load.vacate(&pod("a", "n"));
        load.vacate(&pod("a", "n"));
        assert_eq!((load.of("n").pods, load.of("n").requests[0]), (0, 0));
        assert!(!load.of("n").collides_with(&pod("b", "")));
    }
}
