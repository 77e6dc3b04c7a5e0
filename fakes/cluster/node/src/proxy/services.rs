//! Services and what is ready behind them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use cluster_api::kinds::{ENDPOINT_SLICES, SERVICES};
use cluster_api::{Store, object};
use field_clock::Clock;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::forward::{Forward, tcp, udp};
use crate::wire::Wire;

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Protocol {
    Tcp,
    Udp,
}

type Wanted = BTreeMap<(SocketAddr, Protocol), Vec<SocketAddr>>;

/// Keeps the listeners as the services and their endpoints want them.
pub(crate) async fn run(store: Store, clock: Clock, wire: Wire, node: IpAddr, stop: CancellationToken) {
    let mut services = store.watch(&SERVICES, None);
    let mut slices = store.watch(&ENDPOINT_SLICES, None);
    let mut open: BTreeMap<(SocketAddr, Protocol), Forward> = BTreeMap::new();
    loop {
        let changed = tokio::select! {
            () = stop.cancelled() => return,
            event = services.next() => event,
            event = slices.next() => event,
        };
        if changed.is_none() {
            return;
        }
        while services.try_next().is_some() || slices.try_next().is_some() {}
        let wanted = wanted(&store, node);
        open.retain(|key, _| wanted.contains_key(key));
        // What was closed is really closed before it is opened again.
        tokio::task::yield_now().await;
        for (key, targets) in wanted {
            if let Some(forward) = open.get(&key) {
                forward.targets.set(targets);
                continue;
            }
            let (known, protocol) = key;
            let opened = match protocol {
                Protocol::Tcp => tcp(&wire, &clock, known, targets),
                Protocol::Udp => udp(&wire, &clock, known, targets),
            };
            match opened {
                Ok(forward) => {
                    open.insert(key, forward);
                }
                Err(error) => tracing::warn!(%error, %known, "cannot listen for a service"),
            }
        }
    }
}

/// Every address that has somebody ready behind it.
fn wanted(store: &Store, node: IpAddr) -> Wanted {
    let slices = store.list(&ENDPOINT_SLICES, None);
    let mut wanted = Wanted::new();
    for service in store.list(&SERVICES, None) {
        let ip = service["spec"]["clusterIP"].as_str().and_then(|ip| ip.parse::<IpAddr>().ok());
        let own: Vec<&Value> =
            slices.iter().map(AsRef::as_ref).filter(|slice| belongs(slice, &service)).collect();
        for port in service["spec"]["ports"].as_array().into_iter().flatten() {
            let protocol = if port["protocol"] == "UDP" { Protocol::Udp } else { Protocol::Tcp };
            let targets = ready(&own, port);
            if targets.is_empty() {
                continue;
            }
            let number = |name: &str| port[name].as_u64().and_then(|n| u16::try_from(n).ok());
            let doors = [ip.zip(number("port")), number("nodePort").map(|port| (node, port))];
            for (ip, port) in doors.into_iter().flatten() {
                wanted.insert((SocketAddr::new(ip, port), protocol), targets.clone());
            }
        }
    }
    wanted
}

fn belongs(slice: &Value, service: &Value) -> bool {
    object::namespace(slice) == object::namespace(service)
        && object::label(slice, "kubernetes.io/service-name") == Some(object::name(service))
}

/// The ready endpoints of a service's port.
fn ready(slices: &[&Value], port: &Value) -> Vec<SocketAddr> {
    let name = port["name"].as_str().unwrap_or("");
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let mut found = Vec::new();
    for slice in slices {
        let ports = slice["ports"].as_array().into_iter().flatten();
        let same = |p: &&Value| {
            p["name"].as_str().unwrap_or("") == name && p["protocol"].as_str().unwrap_or("TCP") == protocol
        };
        let Some(number) =
            ports.into_iter().find(same).and_then(|p| p["port"].as_u64()).and_then(|n| u16::try_from(n).ok())
        else {
            continue;
        };
        for endpoint in slice["endpoints"].as_array().into_iter().flatten() {
            if endpoint["conditions"]["ready"] == false {
                continue;
            }
            let addresses = endpoint["addresses"].as_array().into_iter().flatten();
            let addresses = addresses.filter_map(|a| a.as_str()?.parse::<IpAddr>().ok());
            found.extend(addresses.map(|ip| SocketAddr::new(ip, number)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::ready;
    use serde_json::json;

    #[test]
    fn only_ready_endpoints_of_the_named_port_count() {
        let slice = json!({
            "ports": [{"name": "http", "port": 8081, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}],
            "endpoints": [
                {"addresses": ["127.1.1.20"], "conditions": {"ready": true}},
                {"addresses": ["127.1.1.21"], "conditions": {"ready": false}},
            ],
        });
        let found = ready(&[&slice], &json!({"name": "http", "port": 80, "protocol": "TCP"}));
        assert_eq!(found, ["127.1.1.20:8081".parse().unwrap()]);
        assert!(ready(&[&slice], &json!({"name": "other", "port": 80})).is_empty());
    }
}
