//! Causes of the fault catalogue, brought into the laboratory and taken away again.

use std::num::NonZeroU64;
use std::time::Duration;

use cluster_api::kinds::DEPLOYMENTS;
use fake_network::{DnsEffect, DnsFault, Effect, FaultId, RegistryFault, Times};
use field_clock::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ReplayError;
use super::lab::{LARGE, Lab};
use super::steps::unknown;
use crate::fidelity::case::{Case, Cause};

/// What has to be undone.
pub(super) enum Undo {
    Dns(FaultId),
    Registry(FaultId),
    Kubelet,
    ClusterDns(u64),
    #[expect(dead_code, reason = "the guard ends the outage when it is dropped")]
    Outage(cluster_api::Outage),
    #[expect(dead_code, reason = "the guard ends the hang when it is dropped")]
    Hang(cluster_api::Hang),
    Nothing,
}

/// Brings every cause that is there from the beginning.
pub(super) async fn bring_standing(case: &Case, lab: &Lab) -> Result<Vec<(Option<f64>, Undo)>, ReplayError> {
    let mut standing = Vec::new();
    for cause in case.causes.iter().filter(|cause| cause.at.is_none()) {
        standing.push((cause.until, bring(case, cause, lab).await?));
    }
    Ok(standing)
}

/// Brings every other cause at its second, and takes all away at theirs.
pub(super) async fn come_and_go(
    case: &Case,
    lab: &Lab,
    clock: &Clock,
    began: Timestamp,
    standing: Vec<(Option<f64>, Undo)>,
) -> Result<(), ReplayError> {
    let second = |second: f64| began + Duration::from_secs_f64(second.max(0.0));
    let go = async |until: Option<f64>, undo: Undo| {
        clock.sleep_until(second(until.unwrap_or(case.seconds))).await;
        if until.is_some() {
            take_away(undo, lab).await;
        }
    };
    let there = standing.into_iter().map(|(until, undo)| go(until, undo));
    let coming = case.causes.iter().filter_map(|cause| Some((cause, cause.at?)));
    let coming = coming.map(|(cause, at)| async move {
        clock.sleep_until(second(at)).await;
        let undo = bring(case, cause, lab).await?;
        go(cause.until, undo).await;
        Ok(())
    });
    let (_, came) = futures::join!(futures::future::join_all(there), futures::future::try_join_all(coming));
    came.map(|_| ())
}

async fn bring(case: &Case, cause: &Cause, lab: &Lab) -> Result<Undo, ReplayError> {
    let number = |name: &str| cause.parameters.get(name).and_then(Value::as_u64);
    if let Some(kind) = cause.fault.strip_prefix("dns.") {
        if kind == "cluster-gone" {
            return Ok(Undo::ClusterDns(scale_cluster_dns(lab, 0)));
        }
        let effect = match kind {
            "refused" => None,
            "servfail" => Some(DnsEffect::ServFail),
            "nxdomain" => Some(DnsEffect::NxDomain),
            "timeout" | "upstream-dead" => Some(DnsEffect::Timeout),
            _ => return Err(unknown(case, &cause.fault)),
        };
        let fault = match (effect, cause.parameters.get("host").and_then(Value::as_str)) {
            (None, _) => DnsFault::ClosedPort,
            (Some(effect), Some(host)) => DnsFault::names(host, effect),
            (Some(effect), None) => DnsFault::all(effect),
        };
        return Ok(Undo::Dns(lab.dns.control().inject(fault).await));
    }
    if let Some(kind) = cause.fault.strip_prefix("registry.") {
        let effect = match kind {
            // What is not published is missing.
            "missing-tag" => return Ok(Undo::Nothing),
            "unauthorized" if number("status") == Some(403) => Effect::Forbidden,
            "unauthorized" => Effect::Unauthorized,
            "rate-limited" => Effect::RateLimited { retry_after: 60 },
            "bad-digest" => Effect::BadDigest,
            "unreachable" => Effect::Unreachable,
            "error" => {
                let status = number("status").and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
                Effect::Error { status }
            }
            "slow" => Effect::Slow {
                bytes_per_second: number("bytesPerSecond")
                    .and_then(NonZeroU64::new)
                    .unwrap_or(NonZeroU64::MIN),
            },
            "cut" => Effect::Cut { after: cut_after(cause) },
            _ => return Err(unknown(case, &cause.fault)),
        };
        let times = number("times").and_then(|times| u32::try_from(times).ok());
        let fault = match cause.parameters.get("image").and_then(Value::as_str) {
            Some(image) => RegistryFault::on(image, effect),
            None => RegistryFault::all(effect),
        };
        let fault = fault.times(times.map_or(Times::Always, Times::First));
        return Ok(Undo::Registry(lab.registry.control().inject(fault).await));
    }
    Ok(match cause.fault.as_str() {
        "in the manifest" => Undo::Nothing,
        "kubernetes.api-outage" => Undo::Outage(lab.cluster.api().outage()),
        "kubernetes.api-hang" => Undo::Hang(lab.cluster.api().hang()),
        "node.kubelet-stopped" => {
            lab.cluster.node().stop_kubelet();
            Undo::Kubelet
        }
        _ => return Err(unknown(case, &cause.fault)),
    })
}

/// A share of the layer that every large image of the laboratory has.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of some megabytes")]
fn cut_after(cause: &Cause) -> u64 {
    let share = cause.parameters.get("afterShare").and_then(Value::as_f64).unwrap_or(0.5);
    (f64::from(LARGE) * share.clamp(0.0, 1.0)) as u64
}

async fn take_away(undo: Undo, lab: &Lab) {
    match undo {
        Undo::Dns(id) => {
            // A fault that is gone needs no healing.
            let _ = lab.dns.control().heal(id).await;
        }
        Undo::Registry(id) => {
            let _ = lab.registry.control().heal(id).await;
        }
        Undo::Kubelet => lab.cluster.node().start_kubelet(),
        Undo::ClusterDns(replicas) => {
            scale_cluster_dns(lab, replicas);
        }
        Undo::Outage(_) | Undo::Hang(_) | Undo::Nothing => {}
    }
}

/// Changes how many name servers the cluster has; how many it had.
fn scale_cluster_dns(lab: &Lab, replicas: u64) -> u64 {
    let mut had = 0;
    // Somebody who deleted it altogether has none of them either.
    let _ = lab.cluster.store().modify(&DEPLOYMENTS, "kube-system", "coredns", |deployment| {
        had = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
        deployment["spec"]["replicas"] = json!(replicas);
    });
    had
}
