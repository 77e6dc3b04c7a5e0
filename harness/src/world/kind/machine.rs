//! A kind node as a machine: what can be done to it from outside of its container, and inside of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::Value;

use super::audit;
use super::cluster::Cluster;
use crate::world::WorldError;
use crate::world::machine::{ApiGuard, ApiTrouble, Done, Encounter, Killer, Machine, MachineError, Met};

/// The port of the API on the node.
const API_PORT: u16 = 6443;
/// Where the kubelet finds what it runs by itself.
const MANIFEST: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const ASIDE: &str = "/etc/kubernetes/kube-apiserver.yaml";

/// The node of a cluster.
pub(super) struct KindMachine {
    pub(super) cluster: Cluster,
    /// What was met at the API's port, by whoever knocked for a receipt.
    met: Arc<std::sync::Mutex<Vec<Encounter>>>,
    /// Whether its API has been in trouble since the kubelet was started.
    troubled: AtomicBool,
}

impl KindMachine {
    pub(super) fn of(cluster: Cluster) -> Self {
        Self { cluster, met: Arc::default(), troubled: AtomicBool::new(false) }
    }

    /// Starts a kubelet again whose API was in trouble: one was seen to give a new container the secret of before, so that a
    /// fault of that secret never landed (docs/flakes.md).
    pub(super) async fn settle(&self) -> Result<(), WorldError> {
        if self.troubled.swap(false, Ordering::Relaxed) {
            self.cluster.shell("systemctl restart kubelet", b"").await?;
        }
        Ok(())
    }

    async fn on_node(&self, script: &str) -> Done<String> {
        self.cluster.shell(script, b"").await.map_err(|error| MachineError::Failed(error.into()))
    }

    fn lacks<T>(why: &str) -> Done<T> {
        Err(MachineError::Impossible { why: why.to_owned() })
    }
}

#[async_trait(?Send)]
impl Machine for KindMachine {
    fn node(&self) -> &str {
        &self.cluster.node
    }

    async fn stop_kubelet(&self) -> Done {
        self.on_node("systemctl stop kubelet").await.map(drop)
    }

    async fn start_kubelet(&self) -> Done {
        self.on_node("systemctl start kubelet").await.map(drop)
    }

    async fn leave_memory(&self, _left: Option<u64>) -> Done {
        Self::lacks(
            "a node that is a container has all of its host's memory, and to fill that would stop the host",
        )
    }

    async fn reboot(&self, _takes: Duration) -> Done {
        let restart = self.cluster.engine.docker(&["restart", "--time", "20", &self.cluster.node]).await;
        restart.map(drop).map_err(|error| MachineError::Failed(error.into()))
    }

    async fn started(&self) -> Done<Option<Timestamp>> {
        // Its kernel is the host's, which was not started again.
        let asked = ["inspect", "--format", "{{.State.StartedAt}}", &self.cluster.node];
        let told = self.cluster.engine.docker(&asked).await;
        told.map(|told| told.trim().parse().ok()).map_err(|error| MachineError::Failed(error.into()))
    }

    async fn remove_image(&self, reference: &str) -> Done {
        // One that it does not have need not be removed.
        self.on_node(&format!("ctr -n k8s.io images rm --sync '{reference}' >/dev/null 2>&1 || true"))
            .await
            .map(drop)
    }

    async fn trouble_api(&self, trouble: ApiTrouble) -> Done<Box<dyn ApiGuard>> {
        let (begin, end, met) = match trouble {
            ApiTrouble::Outage => (
                format!("mv {MANIFEST} {ASIDE}; pkill -KILL kube-apiserver || true"),
                format!("mv {ASIDE} {MANIFEST}"),
                Met::Cut,
            ),
            ApiTrouble::Hang => (
                "pkill -STOP kube-apiserver".to_owned(),
                "pkill -CONT kube-apiserver".to_owned(),
                Met::Silence,
            ),
            ApiTrouble::Slow(_) => {
                return Self::lacks("a real API server has no switch that makes its answers late");
            }
        };
        self.troubled.store(true, Ordering::Relaxed);
        self.on_node(&begin).await?;
        let knocking = tokio::spawn(knock(self.cluster.address, met, Arc::clone(&self.met)));
        Ok(Box::new(Guard {
            cluster: self.cluster.clone(),
            end: tokio::sync::Mutex::new(Some(end)),
            knocking,
        }))
    }

    async fn expire_watches(&self, _user: &'static str) -> Done {
        Self::lacks("a real API server forgets its history after five minutes, and not when it is told to")
    }

    async fn encounters(&self) -> Done<Vec<Encounter>> {
        let mut met = self.met.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        met.extend(audit::refusals(&self.cluster).await.map_err(MachineError::Failed)?);
        Ok(met)
    }

    async fn burden(&self, _takes: Duration, _lasts: Option<Duration>) -> Done {
        Self::lacks("the real controllers of Flux cannot be told to begin late")
    }

    async fn unburden(&self) -> Done {
        Self::lacks("the real controllers of Flux cannot be told to begin late")
    }

    async fn burdened(&self) -> Done<Vec<Timestamp>> {
        Ok(Vec::new())
    }

    fn killer(&self) -> Done<Box<dyn Killer>> {
        Ok(Box::new(NodeKiller { cluster: self.cluster.clone(), killed: Vec::new() }))
    }
}

/// Trouble of the API until it is ended.
struct Guard {
    cluster: Cluster,
    end: tokio::sync::Mutex<Option<String>>,
    knocking: tokio::task::JoinHandle<()>,
}

#[async_trait]
impl ApiGuard for Guard {
    async fn end(&self) -> Result<(), WorldError> {
        self.knocking.abort();
        if let Some(script) = self.end.lock().await.take() {
            self.cluster.shell(&script, b"").await?;
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.knocking.abort();
        // Nobody is left who could wait for it.
        if let (Some(script), Ok(runtime)) =
            (self.end.get_mut().take(), tokio::runtime::Handle::try_current())
        {
            let cluster = self.cluster.clone();
            runtime.spawn(async move {
                if let Err(error) = cluster.shell(&script, b"").await {
                    tracing::warn!(%error, "the API of a kind cluster stays in trouble");
                }
            });
        }
    }
}

/// Knocks at the API as any client does, once a second, and notes what it meets; only the server itself could tell of others.
async fn knock(address: IpAddr, expected: Met, met: Arc<std::sync::Mutex<Vec<Encounter>>>) {
    let clock = Clock::wall();
    loop {
        let knock = async {
            let mut stream = tokio::net::TcpStream::connect((address, API_PORT)).await?;
            // Who speaks TLS is answered by a server that lives, whatever is said.
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"\x16\x03\x01\x00\x00").await?;
            tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1]).await
        };
        let found = match clock.timeout(Duration::from_secs(1), knock).await {
            Err(field_clock::Elapsed) => Some(Met::Silence),
            Ok(Err(_)) => Some(Met::Cut),
            Ok(Ok(_)) => None,
        };
        if found == Some(expected) {
            let encounter = Encounter { at: clock.now(), met: expected, user: String::new() };
            met.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(encounter);
        }
        clock.sleep(Duration::from_secs(1)).await;
    }
}

/// Kills containers' processes on the node.
struct NodeKiller {
    cluster: Cluster,
    killed: Vec<String>,
}

#[async_trait]
impl Killer for NodeKiller {
    async fn kill(&mut self, container: &str) -> Result<bool, WorldError> {
        let found =
            format!("ctr -n k8s.io containers ls -q 'labels.\"io.kubernetes.container.name\"=={container}'");
        for id in self.cluster.shell(&found, b"").await?.lines() {
            let running = format!("ctr -n k8s.io tasks ls | awk '$1==\"{id}\" && $3==\"RUNNING\"'");
            if self.killed.iter().any(|it| it == id) || self.cluster.shell(&running, b"").await?.is_empty() {
                continue;
            }
            self.cluster.shell(&format!("ctr -n k8s.io tasks kill -s SIGKILL {id}"), b"").await?;
            self.killed.push(id.to_owned());
            return Ok(true);
        }
        Ok(false)
    }
}

/// What a container was started with, as the node's runtime keeps it.
pub(super) async fn started(
    cluster: &Cluster,
    id: &str,
) -> Result<(Vec<String>, Vec<(String, String)>), WorldError> {
    let info = cluster.shell(&format!("ctr -n k8s.io containers info {id}"), b"").await?;
    let info: Value = serde_json::from_str(&info)?;
    let words = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let process = &info["Spec"]["process"];
    let pairs = words(&process["env"]);
    let pairs = pairs.iter().filter_map(|it| it.split_once('='));
    Ok((words(&process["args"]), pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()))
}
