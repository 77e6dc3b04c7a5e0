//! A kind cluster of one node: made or adopted, prepared for an appliance, taken away.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cluster_node::host_path;
use serde_json::{Value, json};

use super::audit;
use super::engine::{Engine, EngineError};
use crate::world::WorldError;

/// Whose a cluster is, its network and the containers beside it.
pub(super) const LABEL: &str = "appliance-smoke.run";
/// The certificate that the node's container runtime trusts.
const AUTHORITY: &str = "/etc/appliance-smoke/registries.pem";
/// Where the provisioner makes volumes on the node.
const VOLUMES: &str = "/var/local-path-provisioner";

/// A cluster that runs.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) engine: Engine,
    /// Its name.
    pub(super) name: String,
    /// The name of its node, and of the node's container.
    pub(super) node: String,
    pub(super) address: IpAddr,
    pub(super) kubeconfig: PathBuf,
    /// A directory of this machine below which the node's volumes are, where `host_path` says.
    pub(super) disk: PathBuf,
}

/// What a cluster is made with.
pub(super) struct Wish<'a> {
    pub(super) name: &'a str,
    /// The node's image; empty for the one that the kind program takes by itself.
    pub(super) image: &'a str,
    /// A directory of its own on this machine.
    pub(super) directory: &'a Path,
}

impl Cluster {
    /// Makes the network and the cluster.
    pub(super) async fn create(engine: &Engine, wish: &Wish<'_>) -> Result<Self, WorldError> {
        let label = format!("{LABEL}={}", wish.name);
        engine.docker(&["network", "create", "--label", &label, wish.name]).await?;
        let disk = wish.directory.join("disk");
        let volumes = host_path(&disk, VOLUMES);
        std::fs::create_dir_all(&volumes)?;
        let kubeconfig = wish.directory.join("kubeconfig");
        let mut arguments = vec!["create", "cluster", "--name", wish.name, "--config", "-", "--wait", "60s"];
        let path = kubeconfig.display().to_string();
        arguments.extend(["--kubeconfig", &path]);
        if !wish.image.is_empty() {
            arguments.extend(["--image", wish.image]);
        }
        let policy = audit::write_policy(wish.directory)?;
        let configuration = configuration(&volumes, &policy).to_string();
        engine.kind(&arguments, Some(configuration.as_bytes())).await?;
        Self::adopt(engine, wish).await
    }

    /// A cluster of this name that runs already.
    pub(super) async fn adopt(engine: &Engine, wish: &Wish<'_>) -> Result<Self, WorldError> {
        let node = format!("{}-control-plane", wish.name);
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let addresses = engine.docker(&["inspect", "--format", format, &node]).await?;
        let address = addresses.split_whitespace().find_map(|it| it.parse().ok());
        let address = address.ok_or_else(|| format!("container {node} has no address"))?;
        Ok(Self {
            engine: engine.clone(),
            name: wish.name.to_owned(),
            node,
            address,
            kubeconfig: wish.directory.join("kubeconfig"),
            disk: wish.directory.join("disk"),
        })
    }

    /// Runs a script on the node, with this on its standard input.
    pub(super) async fn shell(&self, script: &str, input: &[u8]) -> Result<String, EngineError> {
        self.engine.shell(&self.node, script, input).await
    }

    /// Starts cluster DNS anew: its pods keep the node's resolvers of the moment in which they were made.
    pub(super) async fn renew_dns(&self) -> Result<(), EngineError> {
        let kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system rollout";
        let script = format!(
            "{kubectl} restart deployment coredns\n{kubectl} status deployment coredns --timeout=90s"
        );
        self.shell(&script, b"").await.map(drop)
    }

    /// Has the container runtime find these registries by their names, and trust this certificate for them.
    pub(super) async fn trust(&self, hosts: &[&str], authority: &str) -> Result<(), EngineError> {
        let mut script = format!("mkdir -p $(dirname {AUTHORITY})\ncat > {AUTHORITY}\n");
        for host in hosts {
            // What people call docker.io answers at another name.
            let server = if *host == "docker.io" { "registry-1.docker.io" } else { host };
            script.push_str(&format!(
                "mkdir -p /etc/containerd/certs.d/{host}\ncat > /etc/containerd/certs.d/{host}/hosts.toml <<'END'\n\
                 server = \"https://{server}\"\n[host.\"https://{server}\"]\n  capabilities = [\"pull\", \"resolve\"]\n  \
                 ca = \"{AUTHORITY}\"\nEND\n"
            ));
        }
        self.shell(&script, authority.as_bytes()).await.map(drop)
    }

    /// Takes away what the distribution brings of storage: the appliance brings its own.
    pub(super) async fn without_storage(&self) -> Result<(), EngineError> {
        let kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
        self.shell(
            &format!(
                "{kubectl} delete storageclass --all --ignore-not-found --wait=false\n\
                 {kubectl} delete namespace local-path-storage --ignore-not-found --wait=true --timeout=60s\n\
                 {kubectl} delete clusterrole/local-path-provisioner-role \
                 clusterrolebinding/local-path-provisioner-bind --ignore-not-found"
            ),
            b"",
        )
        .await
        .map(drop)
    }

    /// What the cluster says of itself.
    pub(super) async fn identity(&self) -> Result<BTreeMap<String, String>, WorldError> {
        let format = "{{.Id}} {{.Config.Image}} {{.Image}}";
        let inspected = self.engine.docker(&["inspect", "--format", format, &self.node]).await?;
        let mut words = inspected.split_whitespace().map(str::to_owned);
        let mut next = || words.next().unwrap_or_default();
        let mut known = BTreeMap::from([
            ("nodeContainer".to_owned(), next()),
            ("nodeImage".to_owned(), next()),
            ("nodeImageId".to_owned(), next()),
        ]);
        let kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf get";
        let node = self.shell(&format!("{kubectl} node {} -o json", self.node), b"").await?;
        let node: Value = serde_json::from_str(&node)?;
        let info = &node["status"]["nodeInfo"];
        for (key, field) in [
            ("bootId", "bootID"),
            ("kubelet", "kubeletVersion"),
            ("containerRuntime", "containerRuntimeVersion"),
            ("kernel", "kernelVersion"),
            ("system", "osImage"),
        ] {
            known.insert(key.to_owned(), info[field].as_str().unwrap_or_default().to_owned());
        }
        let uid = self
            .shell(&format!("{kubectl} namespace kube-system -o jsonpath={{.metadata.uid}}"), b"")
            .await?;
        known.insert("kubeSystemUid".to_owned(), uid);
        Ok(known)
    }

    /// The address of this machine on the cluster's network.
    pub(super) async fn gateway(&self) -> Result<IpAddr, WorldError> {
        let format = "{{range .IPAM.Config}}{{.Gateway}} {{end}}";
        let gateways = self.engine.docker(&["network", "inspect", "--format", format, &self.name]).await?;
        let gateway = gateways.split_whitespace().find_map(|it| it.parse().ok().filter(IpAddr::is_ipv4));
        Ok(gateway.ok_or_else(|| format!("network {} has no gateway", self.name))?)
    }

    /// Takes the cluster and its network away.
    pub(super) async fn delete(&self) -> Result<(), EngineError> {
        // What is in its volumes may be another user's, and this machine's user cannot remove it.
        let _ = self.shell(&format!("rm -rf {VOLUMES}/*"), b"").await;
        let path = self.kubeconfig.display().to_string();
        self.engine.kind(&["delete", "cluster", "--name", &self.name, "--kubeconfig", &path], None).await?;
        Ok(())
    }

    /// Takes its network away, once nothing is on it any more.
    pub(super) async fn delete_network(&self) -> Result<(), EngineError> {
        self.engine.docker(&["network", "rm", &self.name]).await.map(drop)
    }
}

/// JSON is YAML.
fn configuration(volumes: &Path, policy: &Path) -> Value {
    json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": { "ipFamily": "ipv4" },
        "nodes": [{
            "role": "control-plane",
            "kubeadmConfigPatches": [audit::patch()],
            "extraMounts": [{ "hostPath": volumes, "containerPath": VOLUMES }, audit::mount(policy)],
        }],
    })
}
