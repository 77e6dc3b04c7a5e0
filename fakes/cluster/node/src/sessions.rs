//! Commands in containers, attached containers and forwarded ports, as the API hands them on.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cluster_api::kinds::PODS;
use cluster_api::{ApiError, ExecRequest, LogOptions, Session, Streams, object};
use futures::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::exec::{ExecIo, ExecOutcome, ExecTarget};
use crate::kubelet::Kubelet;
use crate::pod_logs::{self, container_name, container_status};

/// A pod and one of its containers that runs.
fn running(
    node: &Kubelet,
    namespace: &str,
    pod: &str,
    container: Option<&str>,
) -> Result<(Arc<Value>, String), ApiError> {
    let object = node.store.get(&PODS, namespace, pod).ok_or_else(|| ApiError::not_found(&PODS, pod))?;
    if object["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Err(ApiError::bad_request(format!("pod {pod} does not have a host assigned")));
    }
    let first = object["spec"]["containers"][0]["name"].as_str().unwrap_or("").to_owned();
    let container = container_name(&object, pod, Some(container.unwrap_or(&first)))?;
    let runs =
        container_status(&object, &container).is_some_and(|status| status["state"]["running"].is_object());
    if !runs {
        let why = format!("unable to upgrade connection: container not found (\"{container}\")");
        return Err(ApiError::internal(&why));
    }
    Ok((object, container))
}

fn address(pod: &Value) -> Option<IpAddr> {
    pod["status"]["podIP"].as_str()?.parse().ok()
}

/// A command in a container, once it has its streams.
pub(crate) fn exec(
    node: &Arc<Kubelet>,
    namespace: &str,
    pod: &str,
    request: ExecRequest,
) -> Result<Session, ApiError> {
    let (object, container) = running(node, namespace, pod, request.container.as_deref())?;
    let target = ExecTarget {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        pod_uid: object::uid(&object).to_owned(),
        container,
        ip: address(&object).unwrap_or(node.ip),
    };
    let id = cluster_api::object::uid(&object).replace('-', "");
    let runtime = Arc::clone(&node.runtime);
    Ok(Box::new(move |streams: Streams| {
        let io = ExecIo { stdin: streams.stdin, stdout: streams.stdout, stderr: streams.stderr };
        async move {
            match runtime.exec(target, request.command, io).await {
                ExecOutcome::Ran { code } => Ok(code),
                ExecOutcome::NotStarted(problem) => Err(ApiError::internal(&format!(
                    "error executing command in container: failed to exec in container: failed to start exec \
                     \"{id}{id}\": OCI runtime exec failed: exec failed: unable to start container process: {problem}: unknown"
                ))),
                ExecOutcome::Unsupported => {
                    Err(ApiError::not_implemented("exec in a container that is a program of the simulation"))
                }
            }
        }
        .boxed()
    }))
}

/// What a container writes from now on; nothing can be written to it.
pub(crate) fn attach(
    node: &Arc<Kubelet>,
    namespace: &str,
    pod: &str,
    container: Option<String>,
) -> Result<Session, ApiError> {
    let (_, container) = running(node, namespace, pod, container.as_deref())?;
    let options =
        LogOptions { container: Some(container), follow: true, tail_lines: Some(0), ..LogOptions::default() };
    let mut log = pod_logs::read(node, namespace, pod, &options)?;
    Ok(Box::new(move |mut streams: Streams| {
        async move {
            while let Some(piece) = log.next().await {
                if streams.stdout.write_all(&piece).await.is_err() {
                    break;
                }
            }
            Ok(0)
        }
        .boxed()
    }))
}

/// A connection to a port of a pod.
pub(crate) async fn connect(
    node: &Kubelet,
    namespace: &str,
    pod: &str,
    port: u16,
) -> Result<TcpStream, String> {
    let object = node.store.get(&PODS, namespace, pod).ok_or_else(|| format!("pods \"{pod}\" not found"))?;
    let ip = address(&object).ok_or_else(|| format!("pod {pod} has no address"))?;
    let known = SocketAddr::new(ip, port);
    TcpStream::connect(node.wire.actual(known)).await.map_err(|_| {
        let uid = object::uid(&object);
        format!(
            "error forwarding port {port} to pod {}, uid : failed to execute portforward in network namespace \
             \"/var/run/netns/cni-{uid}\": failed to connect to localhost:{port} inside namespace \"{}\", IPv4: dial tcp4 \
             127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found ",
            uid.replace('-', ""),
            uid.replace('-', "")
        )
    })
}
