//! The names of the cluster, read from its objects.

use std::net::{IpAddr, Ipv4Addr};

use cluster_api::kinds::{ENDPOINT_SLICES, SERVICES};
use cluster_api::{Store, object};
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{Name, RData, Record};
use serde_json::Value;

const DOMAIN: &str = ".svc.cluster.local.";
const TTL: u32 = 30;

/// What is known of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is not a name of this cluster.
    Foreign,
    /// There is no such name in this cluster.
    Unknown,
    /// It is another name.
    Alias(String),
    /// Its addresses.
    Addresses(Vec<Ipv4Addr>),
}

/// The names of a cluster.
pub(super) struct Zone {
    store: Store,
}

impl Zone {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Looks a fully qualified name in lower case up.
    pub(super) fn find(&self, name: &str) -> Answer {
        if !name.ends_with(".cluster.local.") {
            return Answer::Foreign;
        }
        let Some(inside) = name.strip_suffix(DOMAIN) else { return Answer::Unknown };
        let mut labels: Vec<&str> = inside.split('.').collect();
        let (Some(namespace), Some(service), host) = (labels.pop(), labels.pop(), labels.pop()) else {
            return Answer::Unknown;
        };
        if !labels.is_empty() {
            return Answer::Unknown;
        }
        match self.store.get(&SERVICES, namespace, service) {
            Some(found) => self.of_service(&found, host),
            None => Answer::Unknown,
        }
    }

    fn of_service(&self, service: &Value, host: Option<&str>) -> Answer {
        let spec = &service["spec"];
        if spec["type"] == "ExternalName" {
            let target = spec["externalName"].as_str().unwrap_or("");
            return Answer::Alias(format!("{}.", target.trim_end_matches('.')));
        }
        match (spec["clusterIP"].as_str().unwrap_or(""), host) {
            ("None" | "", host) => self.endpoints(service, host),
            (address, None) => {
                address.parse().map_or(Answer::Unknown, |address| Answer::Addresses(vec![address]))
            }
            (_, Some(_)) => self.endpoints(service, host),
        }
    }

    fn endpoints(&self, service: &Value, host: Option<&str>) -> Answer {
        let everyone = service["spec"]["publishNotReadyAddresses"] == true;
        let slices = self.store.list(&ENDPOINT_SLICES, Some(object::namespace(service)));
        let own = slices
            .iter()
            .filter(|s| object::label(s, "kubernetes.io/service-name") == Some(object::name(service)));
        let endpoints = own.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        let wanted = endpoints
            .filter(|e| everyone || e["conditions"]["ready"] != false)
            .filter(|e| host.is_none_or(|host| e["hostname"] == host));
        let found: Vec<Ipv4Addr> = wanted
            .flat_map(|e| e["addresses"].as_array().into_iter().flatten())
            .filter_map(|address| match address.as_str()?.parse().ok()? {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .collect();
        if found.is_empty() { Answer::Unknown } else { Answer::Addresses(found) }
    }
}

/// Adds addresses to a reply.
pub(super) fn add(reply: &mut Message, name: &Name, addresses: &[Ipv4Addr]) {
    for address in addresses {
        reply.add_answer(Record::from_rdata(name.clone(), TTL, RData::A(A(*address))));
    }
}

/// Adds another name to a reply.
pub(super) fn add_alias(reply: &mut Message, name: &Name, target: &str) {
    if let Ok(target) = target.parse() {
        reply.add_answer(Record::from_rdata(name.clone(), TTL, RData::CNAME(CNAME(target))));
    }
}
