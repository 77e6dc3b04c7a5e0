//! Endpoints and EndpointSlices: where a Service's ready pods are.

use std::sync::Arc;

use cluster_api::{Store, kinds, object, selector};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, controlled, note, own};
use crate::pods;
use crate::queue::Key;

const MANAGER: &str = "endpointslice-controller.k8s.io";

struct Services {
    store: Store,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken) {
    let lookup = store.clone();
    Controller::new(store, stop)
        .watch(&kinds::SERVICES, own)
        .watch(&kinds::PODS, move |pod| services_of(&lookup, pod))
        .run(Services { store: store.clone() });
}

fn services_of(store: &Store, pod: &Value) -> Vec<Key> {
    let services = store.list(&kinds::SERVICES, Some(object::namespace(pod)));
    services.iter().filter(|service| selects(service, pod)).map(|service| Key::of(service)).collect()
}

fn selects(service: &Value, pod: &Value) -> bool {
    let wanted = &service["spec"]["selector"];
    wanted.as_object().is_some_and(|map| !map.is_empty())
        && selector::map_matches(wanted, object::labels(pod))
}

/// One pod behind a Service.
struct Endpoint {
    pod: Arc<Value>,
    ip: String,
    ready: bool,
}

impl Endpoint {
    fn of(service: &Value, pod: Arc<Value>) -> Option<Self> {
        let ip = pod["status"]["podIP"].as_str().filter(|ip| !ip.is_empty())?.to_owned();
        let open = service["spec"]["publishNotReadyAddresses"] == true;
        let ready = open || (pods::is_ready(&pod) && !object::is_deleting(&pod));
        (!pods::is_finished(&pod)).then_some(Self { pod, ip, ready })
    }

    fn target(&self) -> Value {
        json!({"kind": "Pod", "namespace": object::namespace(&self.pod), "name": object::name(&self.pod),
            "uid": object::uid(&self.pod)})
    }

    fn hostname(&self, service: &Value) -> Option<&Value> {
        let spec = &self.pod["spec"];
        (spec["subdomain"] == service["metadata"]["name"])
            .then_some(&spec["hostname"])
            .filter(|name| name.is_string())
    }

    fn in_slice(&self, service: &Value) -> Value {
        let mut endpoint = json!({
            "addresses": [self.ip],
            "conditions": {"ready": self.ready, "serving": pods::is_ready(&self.pod),
                "terminating": object::is_deleting(&self.pod)},
        });
        if let Some(hostname) = self.hostname(service) {
            endpoint["hostname"] = hostname.clone();
        }
        endpoint["nodeName"] = self.pod["spec"]["nodeName"].clone();
        endpoint["targetRef"] = self.target();
        endpoint
    }

    fn in_subset(&self, service: &Value) -> Value {
        let mut address = json!({"ip": self.ip});
        if let Some(hostname) = self.hostname(service) {
            address["hostname"] = hostname.clone();
        }
        address["nodeName"] = self.pod["spec"]["nodeName"].clone();
        address["targetRef"] = self.target();
        address
    }
}

impl Reconcile for Services {
    fn reconcile(&mut self, key: &Key) -> Next {
        let Some(service) = self.store.get(&kinds::SERVICES, &key.namespace, &key.name) else {
            self.store.remove(&kinds::ENDPOINTS, &key.namespace, &key.name);
            return Next::Change;
        };
        if service["spec"]["type"] == "ExternalName"
            || service["spec"]["selector"].as_object().is_none_or(|s| s.is_empty())
        {
            return Next::Change;
        }
        let mut pods = self.store.list(&kinds::PODS, Some(&key.namespace));
        pods.retain(|pod| selects(&service, pod));
        pods.sort_by_cached_key(|pod| object::name(pod).to_owned());
        let endpoints: Vec<Endpoint> =
            pods.into_iter().filter_map(|pod| Endpoint::of(&service, pod)).collect();
        let ports = ports(&service, endpoints.first().map(|endpoint| &*endpoint.pod));
        self.write_slice(&service, &endpoints, &ports);
        self.write_endpoints(&service, &endpoints, &ports);
        Next::Change
    }
}

impl Services {
    fn write_slice(&self, service: &Value, endpoints: &[Endpoint], ports: &[Value]) {
        let (namespace, name) = (object::namespace(service), object::name(service));
        let endpoints: Vec<Value> = endpoints.iter().map(|endpoint| endpoint.in_slice(service)).collect();
        let now = object::timestamp(self.store.clock().now());
        let existing = controlled(&self.store, &kinds::ENDPOINT_SLICES, service);
        if let Some(slice) = existing.first() {
            if slice["endpoints"] == json!(endpoints) && slice["ports"] == json!(ports) {
                return;
            }
            let outcome =
                self.store.modify(&kinds::ENDPOINT_SLICES, namespace, object::name(slice), |slice| {
                    slice["endpoints"] = json!(endpoints);
                    slice["ports"] = json!(ports);
                    object::set_annotation(slice, "endpoints.kubernetes.io/last-change-trigger-time", &now);
                });
            note("write an EndpointSlice", outcome);
            return;
        }
        let mut labels = service["metadata"]["labels"].as_object().cloned().unwrap_or_default();
        labels.insert("endpointslice.kubernetes.io/managed-by".to_owned(), json!(MANAGER));
        labels.insert("kubernetes.io/service-name".to_owned(), json!(name));
        if service["spec"]["clusterIP"] == "None" {
            labels.insert("service.kubernetes.io/headless".to_owned(), json!(""));
        }
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"generateName": format!("{name}-"), "namespace": namespace, "labels": labels,
                "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": now},
                "ownerReferences": [object::owner_reference(service)]},
            "endpoints": endpoints, "ports": ports,
        });
        note("create an EndpointSlice", self.store.create(&kinds::ENDPOINT_SLICES, slice));
    }

    fn write_endpoints(&self, service: &Value, endpoints: &[Endpoint], ports: &[Value]) {
        let (namespace, name) = (object::namespace(service), object::name(service));
        let addresses = |ready: bool| -> Vec<Value> {
            let chosen =
                endpoints.iter().filter(|e| e.ready == ready && (ready || !object::is_deleting(&e.pod)));
            chosen.map(|endpoint| endpoint.in_subset(service)).collect()
        };
        let mut subset = json!({});
        for (field, addresses) in [("addresses", addresses(true)), ("notReadyAddresses", addresses(false))] {
            if !addresses.is_empty() {
                subset[field] = json!(addresses);
            }
        }
        let subsets = if subset.as_object().is_some_and(|subset| !subset.is_empty()) {
            subset["ports"] = json!(ports);
            json!([subset])
        } else {
            Value::Null
        };
        let fill = |object: &mut Value| {
            if subsets.is_null() {
                object.as_object_mut().map(|object| object.shift_remove("subsets"));
            } else {
                object["subsets"] = subsets.clone();
            }
        };
        if self.store.get(&kinds::ENDPOINTS, namespace, name).is_some() {
            note("write Endpoints", self.store.modify(&kinds::ENDPOINTS, namespace, name, fill));
            return;
        }
        let mut labels = service["metadata"]["labels"].as_object().cloned().unwrap_or_default();
        labels.insert("endpoints.kubernetes.io/managed-by".to_owned(), json!("endpoint-controller"));
        let mut object = json!({"apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": name, "namespace": namespace, "labels": labels}});
        fill(&mut object);
        note("create Endpoints", self.store.create(&kinds::ENDPOINTS, object));
    }
}

/// The Service's ports as its pods have them.
fn ports(service: &Value, pod: Option<&Value>) -> Vec<Value> {
    let Some(pod) = pod else { return Vec::new() };
    let listed = service["spec"]["ports"].as_array().map_or(&[][..], Vec::as_slice);
    let resolved = listed.iter().filter_map(|port| {
        let number = match &port["targetPort"] {
            Value::Number(number) => {
                number.as_u64().filter(|number| *number != 0).or_else(|| port["port"].as_u64())?
            }
            Value::String(name) => name.parse().ok().or_else(|| named_port(pod, name))?,
            _ => port["port"].as_u64()?,
        };
        let protocol = port["protocol"].as_str().unwrap_or("TCP");
        Some(json!({"name": port["name"].as_str().unwrap_or(""), "port": number, "protocol": protocol}))
    });
    resolved.collect()
}

fn named_port(pod: &Value, name: &str) -> Option<u64> {
    let containers = pod["spec"]["containers"].as_array()?;
    let mut ports = containers.iter().filter_map(|container| container["ports"].as_array()).flatten();
    ports.find(|port| port["name"] == name)?["containerPort"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_target_port_is_the_containers_number() {
        let service = json!({"spec": {"ports": [{"name": "web", "port": 80, "targetPort": "http"}]}});
        let pod = json!({"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]}});
        assert_eq!(ports(&service, Some(&pod)), [json!({"name": "web", "port": 8080, "protocol": "TCP"})]);
        assert!(ports(&service, None).is_empty());
    }
}
