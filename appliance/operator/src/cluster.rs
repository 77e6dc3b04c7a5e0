//! The cluster that is installed into.

use std::net::IpAddr;
use std::path::Path;

use k8s_openapi::api::core::v1::Node;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::Value;

use crate::failure::{Failure, Layer, api};
use crate::objects::Manifest;

const MANAGER: &str = "appliance";

/// The cluster that is installed into.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
}

impl Cluster {
    pub(crate) async fn connect(kubeconfig: &Path) -> Result<Self, Failure> {
        let remedy = "Give the path of a kubeconfig that kubectl accepts.";
        let failed =
            || Failure::new(Layer::Kubernetes, format!("read kubeconfig {}", kubeconfig.display()), remedy);
        let file = Kubeconfig::read_from(kubeconfig).map_err(|error| failed().because(error))?;
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .map_err(|error| failed().because(error))?;
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| failed().because(error))?;
        Ok(Self { client })
    }

    /// Server-side apply; whatever else owns the fields gives way.
    pub(crate) async fn apply(&self, object: Value) -> Result<(), Failure> {
        let manifest = Manifest::new(object);
        let target = self.of(&manifest);
        let parameters = PatchParams::apply(MANAGER).force();
        target
            .patch(&manifest.name, &parameters, &Patch::Apply(&manifest.object))
            .await
            .map_err(api(format!("apply {}", manifest.title())))?;
        Ok(())
    }

    pub(crate) async fn apply_all(&self, objects: Vec<Value>) -> Result<(), Failure> {
        for object in objects {
            self.apply(object).await?;
        }
        Ok(())
    }

    /// Deletes an object; one that is not there is as good as deleted.
    pub(crate) async fn delete(&self, object: Value) -> Result<(), Failure> {
        let manifest = Manifest::new(object);
        match self.of(&manifest).delete(&manifest.name, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(api(format!("delete {}", manifest.title()))(error)),
        }
    }

    pub(crate) fn of(&self, manifest: &Manifest) -> Api<DynamicObject> {
        match &manifest.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &manifest.resource),
            None => Api::all_with(self.client.clone(), &manifest.resource),
        }
    }

    /// Address of the first node.
    pub(crate) async fn node_ip(&self) -> Result<IpAddr, Failure> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let nodes = nodes.list(&ListParams::default()).await.map_err(api("list nodes"))?;
        nodes
            .items
            .iter()
            .flat_map(|node| node.status.iter().flat_map(|it| it.addresses.iter().flatten()))
            .filter(|it| it.type_ == "InternalIP")
            .find_map(|it| it.address.parse().ok())
            .ok_or_else(|| {
                Failure::new(Layer::Kubernetes, "find the node's address", "Give it with --node-ip.")
            })
    }
}
