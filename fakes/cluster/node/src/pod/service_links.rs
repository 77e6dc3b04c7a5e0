//! Variables that name the services which exist when a container starts.

use cluster_api::kinds::SERVICES;
use cluster_api::{Store, object};
use serde_json::Value;

use crate::config::ApiAccess;

/// One port of a service.
struct Port<'a> {
    name: &'a str,
    number: u64,
    protocol: &'a str,
}

/// All variables for a pod: those of its namespace's services unless it refuses them, those of the API always.
pub(super) fn service_links(store: &Store, api: &ApiAccess, pod: &Value) -> Vec<(String, String)> {
    let mut links = Vec::new();
    if pod["spec"]["enableServiceLinks"] != false {
        for service in store.list(&SERVICES, Some(object::namespace(pod))) {
            of_service(&service, &mut links);
        }
    }
    match store.get(&SERVICES, "default", "kubernetes") {
        Some(service) => of_service(&service, &mut links),
        None => {
            let port = Port { name: "https", number: u64::from(api.port), protocol: "TCP" };
            variables("kubernetes", &api.host.to_string(), &[port], &mut links);
        }
    }
    links
}

fn of_service(service: &Value, links: &mut Vec<(String, String)>) {
    let address = service["spec"]["clusterIP"].as_str().unwrap_or("");
    if address.is_empty() || address == "None" {
        return;
    }
    let ports: Vec<Port<'_>> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| Port {
            name: port["name"].as_str().unwrap_or(""),
            number: port["port"].as_u64().unwrap_or(0),
            protocol: port["protocol"].as_str().unwrap_or("TCP"),
        })
        .collect();
    variables(object::name(service), address, &ports, links);
}

fn variables(service: &str, address: &str, ports: &[Port<'_>], links: &mut Vec<(String, String)>) {
    let Some(first) = ports.first() else { return };
    let prefix = variable_name(service);
    let mut add = |suffix: String, value: String| links.push((format!("{prefix}_{suffix}"), value));
    add("SERVICE_HOST".into(), address.to_owned());
    add("SERVICE_PORT".into(), first.number.to_string());
    for port in ports.iter().filter(|port| !port.name.is_empty()) {
        add(format!("SERVICE_PORT_{}", variable_name(port.name)), port.number.to_string());
    }
    let url = |port: &Port<'_>| format!("{}://{address}:{}", port.protocol.to_lowercase(), port.number);
    add("PORT".into(), url(first));
    for port in ports {
        let this = format!("PORT_{}_{}", port.number, port.protocol);
        add(this.clone(), url(port));
        add(format!("{this}_PROTO"), port.protocol.to_lowercase());
        add(format!("{this}_PORT"), port.number.to_string());
        add(format!("{this}_ADDR"), address.to_owned());
    }
}

fn variable_name(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::of_service;
    use serde_json::json;

    #[test]
    fn a_service_named_temporal_ui_gives_a_port_that_is_no_number() {
        let service = json!({"metadata": {"name": "temporal-ui"}, "spec": {"clusterIP": "10.96.0.7", "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}});
        let mut links = Vec::new();
        of_service(&service, &mut links);
        let names: Vec<&str> = links.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "TEMPORAL_UI_SERVICE_HOST",
                "TEMPORAL_UI_SERVICE_PORT",
                "TEMPORAL_UI_SERVICE_PORT_HTTP",
                "TEMPORAL_UI_PORT",
                "TEMPORAL_UI_PORT_8080_TCP",
                "TEMPORAL_UI_PORT_8080_TCP_PROTO",
                "TEMPORAL_UI_PORT_8080_TCP_PORT",
                "TEMPORAL_UI_PORT_8080_TCP_ADDR"
            ]
        );
        assert_eq!(links[3].1, "tcp://10.96.0.7:8080");
    }

    #[test]
    fn a_headless_service_gives_nothing() {
        let mut links = Vec::new();
        of_service(
            &json!({"metadata": {"name": "db"}, "spec": {"clusterIP": "None", "ports": [{"port": 1}]}}),
            &mut links,
        );
        assert!(links.is_empty());
    }
}
