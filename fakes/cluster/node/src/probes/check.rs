//! One probe, over real sockets.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use super::Probed;
use super::http::get;
use crate::dns::{DialError, connect_from};
use crate::exec::{ExecIo, ExecOutcome, ExecTarget};

/// What a probe was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    /// The text for the event.
    Bad(String),
    /// It could not be asked at all, which counts neither way.
    Errored(String),
}

/// How long a probe waits for its answer.
pub(super) fn patience(spec: &Value) -> Duration {
    Duration::from_secs(spec["timeoutSeconds"].as_u64().unwrap_or(1).max(1))
}

/// Probes a container once.
pub(super) async fn check(probed: &Probed, spec: &Value) -> Answer {
    let within = patience(spec);
    if spec["httpGet"].is_object() {
        return http(probed, &spec["httpGet"], within).await;
    }
    if spec["exec"].is_object() {
        return exec(probed, &spec["exec"], within).await;
    }
    let action = if spec["tcpSocket"].is_object() { &spec["tcpSocket"] } else { &spec["grpc"] };
    let address = address(probed, action);
    match probed.spec.clock.timeout(within, connect_from(probed.from, probed.wire.actual(address))).await {
        Ok(Ok(_)) => Answer::Good,
        Ok(Err(error)) => Answer::Bad(DialError::Connect { address, kind: error.kind() }.to_string()),
        Err(_) => Answer::Bad(DialError::Timeout { address }.to_string()),
    }
}

/// Where an action is to be tried; ports may be named.
fn address(probed: &Probed, action: &Value) -> SocketAddr {
    let ip = action["host"].as_str().and_then(|host| host.parse::<IpAddr>().ok()).unwrap_or(probed.spec.ip);
    let port = &action["port"];
    let number =
        port.as_u64().or_else(|| port.as_str()?.parse().ok()).or_else(|| named_port(probed, port.as_str()?));
    SocketAddr::new(ip, number.and_then(|n| u16::try_from(n).ok()).unwrap_or(0))
}

fn named_port(probed: &Probed, name: &str) -> Option<u64> {
    let containers = probed.pod["spec"]["containers"].as_array()?;
    let ports = containers.iter().flat_map(|c| c["ports"].as_array().into_iter().flatten());
    ports.into_iter().find(|port| port["name"] == name)?["containerPort"].as_u64()
}

async fn http(probed: &Probed, action: &Value, within: Duration) -> Answer {
    let address = address(probed, action);
    let path = action["path"].as_str().unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let scheme = action["scheme"].as_str().unwrap_or("HTTP").to_lowercase();
    let url = format!("{scheme}://{address}{path}");
    let asked = get(probed.from, probed.wire.actual(address), address, &path, action);
    match probed.spec.clock.timeout(within, asked).await {
        Ok(Ok(code)) if (200..400).contains(&code) => Answer::Good,
        Ok(Ok(code)) => Answer::Bad(format!("HTTP probe failed with statuscode: {code}")),
        Ok(Err(text)) => Answer::Bad(format!("Get \"{url}\": {text}")),
        Err(_) => Answer::Bad(format!(
            "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        )),
    }
}

async fn exec(probed: &Probed, action: &Value, within: Duration) -> Answer {
    let argv: Vec<String> = action["command"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let spec = &probed.spec;
    let target = ExecTarget {
        namespace: spec.namespace.clone(),
        pod: spec.pod.clone(),
        pod_uid: spec.pod_uid.clone(),
        container: spec.container.clone(),
        ip: spec.ip,
    };
    let text = argv.join(" ");
    let (io, output) = ExecIo::captured();
    match spec.clock.timeout(within, probed.runtime.exec(target, argv, io)).await {
        Ok(ExecOutcome::Unsupported | ExecOutcome::Ran { code: 0 }) => Answer::Good,
        Ok(ExecOutcome::Ran { .. }) => Answer::Bad(output.text()),
        Ok(ExecOutcome::NotStarted(error)) => Answer::Errored(format!(
            "rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: {error}: unknown",
            id = crate::pull::hex(&rand::random::<[u8; 32]>()),
        )),
        Err(_) => Answer::Bad(format!("command timed out: \"{text}\" timed out after {}s", within.as_secs())),
    }
}
