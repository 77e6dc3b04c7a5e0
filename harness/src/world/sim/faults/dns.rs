//! Causes in the site's resolver, and in the cluster's own.

use std::net::IpAddr;
use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{Store, kinds, object};
use fake_network::{DnsEffect, DnsFault, DnsOutcome, FaultId, Finding, PortProbe, Registry};
use jiff::Timestamp;
use serde_json::json;

use super::{Cause, Faults, Ground, Noticed, Set, Sighting, done, failed, unsupported};
use crate::fault::{FaultUse, HealStep, Params};
use crate::world::{InjectError, WorldError};

/// Where cluster DNS is.
const SYSTEM: &str = "kube-system";
const COREDNS: &str = "coredns";
/// The label of its pods.
const APP: (&str, &str) = ("k8s-app", "kube-dns");

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let effect = match fault.name() {
        "dns.cluster-gone" => return cluster_gone(ground, fault),
        // A resolver that refuses the connection does so for every name.
        "dns.refused" => return Ok(answers(ground, fault, DnsFault::ClosedPort, None).await),
        "dns.upstream-dead" => return Ok(answers(ground, fault, DnsFault::UpstreamDead, None).await),
        "dns.servfail" => DnsEffect::ServFail,
        "dns.nxdomain" => DnsEffect::NxDomain,
        "dns.timeout" => DnsEffect::Timeout,
        "dns.wrong-answer" => return wrong_answer(ground, fault).await,
        other => return Err(unsupported(other)),
    };
    Ok(answers(ground, fault, of_names(&fault.params, effect), None).await)
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "dns.restore" => faults.lift(ground, "dns", step).await,
        "dns.restore-cluster" => {
            done(step, scale(ground.store(), |now| if now == 0 { 1 } else { now }), "scaled-down", COREDNS)
        }
        other => Err(unsupported(other)),
    }
}

fn of_names(params: &Params, effect: DnsEffect) -> DnsFault {
    match params.text("host") {
        Some(host) => DnsFault::names(host.trim_end_matches('.'), effect),
        None => DnsFault::all(effect),
    }
}

/// Another machine is named: the one that the parameters say, or a portal, which is there then.
async fn wrong_answer(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let named = fault.params.text("address").unwrap_or_default();
    let mut addresses: Vec<IpAddr> = named.split(',').filter_map(|it| it.trim().parse().ok()).collect();
    let mut portal = None;
    if addresses.is_empty() {
        let (address, opened) =
            ground.outside.open_portal().await.map_err(|source| failed(fault.name(), source))?;
        addresses.push(address);
        portal = Some(opened);
    }
    let wrong = of_names(&fault.params, DnsEffect::WrongAnswer(addresses));
    Ok(answers(ground, fault, wrong, portal).await)
}

async fn answers(
    ground: &Ground<'_>,
    fault: &FaultUse,
    wrong: DnsFault,
    portal: Option<Registry>,
) -> Rc<dyn Cause> {
    let control = ground.outside.dns.control();
    let door = (wrong == DnsFault::ClosedPort).then(|| ground.now());
    let id = control.inject(wrong).await;
    if let Some(lasts) = fault.params.duration("lasts") {
        let clock = ground.store().clock().clone();
        tokio::spawn(async move {
            clock.sleep(lasts).await;
            if let Err(error) = control.heal(id).await {
                tracing::warn!(%error, "a resolver does not answer again");
            }
        });
    }
    Rc::new(Answers { id, closed_since: door, _portal: portal })
}

/// What the resolver answers instead.
struct Answers {
    id: FaultId,
    /// Since when nobody listens, where that is the fault.
    closed_since: Option<Timestamp>,
    _portal: Option<Registry>,
}

#[async_trait(?Send)]
impl Cause for Answers {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let control = ground.outside.dns.control();
        if let Some(since) = self.closed_since {
            if control.faults().iter().any(|(known, _)| *known == self.id) {
                control.probe().await;
            }
            return refused(control.probes(), since);
        }
        // What the effect cannot be told from is no receipt: a question for something else than an address.
        let met = control
            .receipts()
            .into_iter()
            .filter(|receipt| receipt.fault == Some(self.id) && receipt.outcome != DnsOutcome::NoData);
        met.map(|r| {
            let name = r.name.unwrap_or_default();
            Sighting::new(r.at, format_args!("{:?} question for {name}: {:?}", r.transport, r.outcome))
        })
        .collect()
    }

    async fn lift(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        Ok(ground.outside.dns.control().heal(self.id).await?)
    }
}

/// Knocks at a port where nobody listened from this moment on.
pub(super) fn refused(probes: Vec<PortProbe>, since: Timestamp) -> Vec<Sighting> {
    let refused = probes.into_iter().filter(|probe| probe.finding == Finding::Refused && probe.at >= since);
    refused
        .map(|it| Sighting::new(it.at, format_args!("{:?} knock at {}: refused", it.transport, it.address)))
        .collect()
}

fn cluster_gone(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    done_inject(scale(ground.store(), |_| 0), fault)?;
    Ok(Rc::new(ClusterGone(Noticed::default())))
}

fn done_inject(scaled: Result<bool, cluster_api::ApiError>, fault: &FaultUse) -> Result<(), InjectError> {
    if scaled.map_err(|source| failed(fault.name(), source))? {
        return Ok(());
    }
    Err(super::no_target(fault.name(), "replica of cluster DNS".to_owned(), Vec::new()))
}

/// Changes how many resolvers the cluster is to have; says whether that was a change.
fn scale(store: &Store, change: impl FnOnce(u64) -> u64) -> Result<bool, cluster_api::ApiError> {
    if store.get(&kinds::DEPLOYMENTS, SYSTEM, COREDNS).is_none() {
        return Ok(false);
    }
    let mut changed = false;
    store.modify(&kinds::DEPLOYMENTS, SYSTEM, COREDNS, |deployment| {
        let before = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
        let after = change(before);
        changed = before != after;
        deployment["spec"]["replicas"] = json!(after);
    })?;
    Ok(changed)
}

/// Cluster DNS without a pod.
struct ClusterGone(Noticed);

#[async_trait(?Send)]
impl Cause for ClusterGone {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let pods = ground.store().list(&kinds::PODS, Some(SYSTEM));
        let left = pods.iter().any(|pod| object::label(pod, APP.0) == Some(APP.1));
        self.0.if_so(!left, ground, "no pod of cluster DNS is left")
    }
}
