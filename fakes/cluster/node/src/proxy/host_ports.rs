//! Ports of the node that lead to a pod.

use std::net::{IpAddr, SocketAddr};

use field_clock::Clock;
use serde_json::Value;

use super::forward::{Forward, tcp};
use crate::wire::Wire;

/// The open host ports of one pod; closed when dropped.
#[derive(Debug, Default)]
pub(crate) struct HostPorts {
    open: Vec<Forward>,
}

impl HostPorts {
    /// Opens the host ports that a pod declares.
    pub(crate) fn open(wire: &Wire, clock: &Clock, node: IpAddr, pod: &Value, pod_ip: IpAddr) -> Self {
        let mut ports = Self::default();
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        for port in containers.flat_map(|c| c["ports"].as_array().into_iter().flatten()) {
            let number =
                |name: &str| port[name].as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
            let (Some(outside), Some(inside)) = (number("hostPort"), number("containerPort")) else {
                continue;
            };
            if port["protocol"] == "UDP" {
                continue;
            }
            let host = port["hostIP"]
                .as_str()
                .and_then(|ip| ip.parse().ok())
                .filter(|ip: &IpAddr| !ip.is_unspecified());
            let known = SocketAddr::new(host.unwrap_or(node), outside);
            match tcp(wire, clock, known, vec![SocketAddr::new(pod_ip, inside)]) {
                Ok(forward) => ports.open.push(forward),
                Err(error) => tracing::warn!(%error, %known, "cannot open a host port"),
            }
        }
        ports
    }
}
