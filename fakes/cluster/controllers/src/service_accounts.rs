//! What every namespace has: the ServiceAccount `default` and the cluster's CA.

use std::sync::Arc;

use cluster_api::{Store, kinds, object};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::control::{Controller, Next, Reconcile, note, own};
use crate::queue::Key;

const ROOT_CA: &str = "kube-root-ca.crt";
const DEFAULT: &str = "default";

struct Furnishing {
    store: Store,
    ca_pem: Arc<str>,
}

pub(crate) fn start(store: &Store, stop: &CancellationToken, ca_pem: &str) {
    let of = |wanted: &'static str| {
        move |object: &serde_json::Value| {
            (object::name(object) == wanted)
                .then(|| Key::new("", object::namespace(object)))
                .into_iter()
                .collect()
        }
    };
    Controller::new(store, stop)
        .watch(&kinds::NAMESPACES, own)
        .watch(&kinds::SERVICE_ACCOUNTS, of(DEFAULT))
        .watch(&kinds::CONFIG_MAPS, of(ROOT_CA))
        .run(Furnishing { store: store.clone(), ca_pem: ca_pem.into() });
}

impl Reconcile for Furnishing {
    fn reconcile(&mut self, key: &Key) -> Next {
        let namespace = key.name.as_str();
        let Some(found) = self.store.get(&kinds::NAMESPACES, "", namespace) else { return Next::Change };
        if object::is_deleting(&found) {
            return Next::Change;
        }
        if self.store.get(&kinds::SERVICE_ACCOUNTS, namespace, DEFAULT).is_none() {
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": DEFAULT, "namespace": namespace}});
            note("create a default ServiceAccount", self.store.create(&kinds::SERVICE_ACCOUNTS, account));
        }
        match self.store.get(&kinds::CONFIG_MAPS, namespace, ROOT_CA) {
            None => {
                let description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
                    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
                    distributions of Kubernetes clusters.";
                let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"ca.crt": &*self.ca_pem},
                    "metadata": {"name": ROOT_CA, "namespace": namespace,
                        "annotations": {"kubernetes.io/description": description}}});
                note("publish the root CA", self.store.create(&kinds::CONFIG_MAPS, map));
            }
            Some(map) if map["data"]["ca.crt"] != *self.ca_pem => {
                let outcome = self.store.modify(&kinds::CONFIG_MAPS, namespace, ROOT_CA, |map| {
                    map["data"] = json!({"ca.crt": &*self.ca_pem});
                });
                note("restore the root CA", outcome);
            }
            Some(_) => {}
        }
        Next::Change
    }
}
