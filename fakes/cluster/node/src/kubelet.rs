//! What the workers of all pods share, and who starts them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use cluster_api::events::Recorder;
use cluster_api::kinds::{PODS, SERVICES};
use cluster_api::{Store, Verb, object};
use field_clock::Clock;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Pace;
use crate::memory::Memory;
use crate::pod::{Update, Worker};
use crate::pod_logs::PodLogs;
use crate::pool::Pool;
use crate::process::Process;
use crate::proxy::HostPorts;
use crate::pull::Images;
use crate::runtime::Runtime;
use crate::volumes::Volumes;
use crate::wire::{Addresses, Resolvers, Wire};

/// What the workers share.
pub(crate) struct Kubelet {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) name: String,
    pub(crate) ip: IpAddr,
    pub(crate) wire: Wire,
    pub(crate) resolvers: Resolvers,
    pub(crate) network: Addresses,
    pub(crate) max_pods: u32,
    pub(crate) volumes: Volumes,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) images: Images,
    pub(crate) recorder: Recorder,
    pub(crate) pod_addresses: Pool,
    pub(crate) process: Process,
    pub(crate) pace: Pace,
    /// Turns at making sandboxes.
    pub(crate) sandboxes: Semaphore,
    pub(crate) logs: PodLogs,
    pub(crate) memory: Memory,
    pub(crate) evictions: Evictions,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// Pods that have to leave the node.
pub(crate) struct Evictions {
    order: mpsc::UnboundedSender<(String, String)>,
    orders: Mutex<Option<mpsc::UnboundedReceiver<(String, String)>>>,
}

impl Default for Evictions {
    fn default() -> Self {
        let (order, orders) = mpsc::unbounded_channel();
        Self { order, orders: Mutex::new(Some(orders)) }
    }
}

impl Evictions {
    /// Takes a pod from the node, and says why.
    pub(crate) fn order(&self, uid: &str, why: String) {
        // A kubelet that has stopped evicts nobody.
        let _ = self.order.send((uid.to_owned(), why));
    }

    fn orders(&self) -> Option<mpsc::UnboundedReceiver<(String, String)>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Port of every DNS server.
const DNS_PORT: u16 = 53;
/// The cluster's DNS has the tenth service address by custom.
const DNS_PLACE: usize = 9;

impl Kubelet {
    /// Where pods ask for names.
    pub(crate) fn cluster_dns(&self) -> SocketAddr {
        let service = self.store.get(&SERVICES, "kube-system", "kube-dns");
        let given = service.and_then(|s| s["spec"]["clusterIP"].as_str()?.parse().ok());
        let usual = self.network.services().nth(DNS_PLACE).expect("the range has more than ten addresses");
        SocketAddr::new(given.unwrap_or(usual), DNS_PORT)
    }

    /// Opens the host ports of a pod; one in the node's own network needs none.
    pub(crate) fn open_host_ports(&self, pod: &Value, ip: IpAddr) -> HostPorts {
        if ip == self.ip {
            return HostPorts::default();
        }
        HostPorts::open(&self.wire, &self.clock, self.ip, pod, ip)
    }

    /// Follows the pods of this node; each has a worker.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut pods = self.store.watch(&PODS, None);
        let mut workers: HashMap<String, mpsc::UnboundedSender<Update>> = HashMap::new();
        let Some(mut orders) = self.evictions.orders() else { return };
        loop {
            let event = tokio::select! {
                () = self.stop.cancelled() => return,
                event = pods.next() => event,
                Some((uid, why)) = orders.recv() => {
                    if let Some(worker) = workers.get(&uid) {
                        // A worker that has ended listens no more.
                        let _ = worker.send(Update::Evict(why));
                    }
                    continue;
                }
            };
            let Some(event) = event else { return };
            let pod = event.object;
            if pod["spec"]["nodeName"] != self.name.as_str() {
                continue;
            }
            let uid = object::uid(&pod);
            if event.verb == Verb::Deleted {
                if let Some(worker) = workers.remove(uid) {
                    // A worker that has ended listens no more.
                    let _ = worker.send(Update::Gone);
                }
                continue;
            }
            if let Some(worker) = workers.get(uid) {
                // A worker that has ended listens no more.
                let _ = worker.send(Update::Pod(pod));
                continue;
            }
            let (sender, updates) = mpsc::unbounded_channel();
            workers.insert(uid.to_owned(), sender);
            self.tasks.spawn(Worker::new(Arc::clone(&self), pod, updates).run());
        }
    }
}
