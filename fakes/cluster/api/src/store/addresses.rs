//! Addresses and ports that the API gives to services.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::Inner;
use crate::error::Cause;
use crate::kinds::SERVICES;

/// Where cluster addresses come from.
#[derive(Debug)]
pub(super) struct ServiceRange {
    network: [u8; 3],
    next: u8,
}

const FIRST: u8 = 120;
const LAST: u8 = 249;
const NODE_PORTS: std::ops::Range<u64> = 30_000..32_768;

impl ServiceRange {
    pub(super) fn new(network: Ipv4Addr) -> Self {
        let [a, b, c, _] = network.octets();
        Self { network: [a, b, c], next: FIRST }
    }

    fn allocate(&mut self, taken: &HashSet<String>) -> Option<String> {
        let [a, b, c] = self.network;
        for _ in FIRST..=LAST {
            let candidate = Ipv4Addr::new(a, b, c, self.next).to_string();
            self.next = if self.next == LAST { FIRST } else { self.next + 1 };
            if !taken.contains(&candidate) {
                return Some(candidate);
            }
        }
        None
    }
}

impl Inner {
    /// Gives a new or changed service what it lacks: a cluster address, node ports.
    pub(super) fn allocate_for_service(&mut self, service: &mut Value) -> Result<(), Cause> {
        let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
        if kind == "ExternalName" {
            return Ok(());
        }
        self.allocate_address(service)?;
        if kind != "ClusterIP" {
            self.allocate_node_ports(service);
        }
        Ok(())
    }

    fn other_services(&self, service: &Value) -> Vec<std::sync::Arc<super::Stored>> {
        let me = (crate::object::namespace(service), crate::object::name(service));
        let all = self.tables.get(&SERVICES).map(|table| table.list(None)).unwrap_or_default();
        all.into_iter()
            .filter(|other| (crate::object::namespace(&other.value), crate::object::name(&other.value)) != me)
            .collect()
    }

    fn allocate_address(&mut self, service: &mut Value) -> Result<(), Cause> {
        let asked = service["spec"]["clusterIP"].as_str().unwrap_or("").to_owned();
        if asked == "None" {
            service["spec"]["clusterIPs"] = json!(["None"]);
            return Ok(());
        }
        let taken: HashSet<String> = self
            .other_services(service)
            .iter()
            .filter_map(|other| other.value["spec"]["clusterIP"].as_str().map(str::to_owned))
            .collect();
        let address = if asked.is_empty() {
            let Some(range) = &mut self.services else { return Ok(()) };
            range.allocate(&taken).ok_or_else(|| {
                Cause::invalid(
                    "spec.clusterIPs",
                    &Value::Null,
                    "failed to allocate a serviceIP: range is full",
                )
            })?
        } else if taken.contains(&asked) {
            return Err(Cause::invalid(
                "spec.clusterIPs",
                &json!([asked]),
                &format!("failed to allocate IP {asked}: provided IP is already allocated"),
            ));
        } else {
            asked
        };
        service["spec"]["clusterIP"] = json!(address);
        service["spec"]["clusterIPs"] = json!([address]);
        Ok(())
    }

    fn allocate_node_ports(&self, service: &mut Value) {
        let mut taken: HashSet<u64> = self
            .other_services(service)
            .iter()
            .flat_map(|other| node_ports(&other.value))
            .chain(node_ports(service))
            .collect();
        let ports = crate::object::items_mut(service, &["spec", "ports"]);
        for port in ports.filter(|port| port["nodePort"].as_u64().unwrap_or(0) == 0) {
            if let Some(free) = NODE_PORTS.clone().find(|candidate| !taken.contains(candidate)) {
                taken.insert(free);
                port["nodePort"] = json!(free);
            }
        }
    }
}

fn node_ports(service: &Value) -> Vec<u64> {
    let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    ports.iter().filter_map(|port| port["nodePort"].as_u64()).collect()
}
