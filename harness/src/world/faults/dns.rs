//! Causes in the site's resolver, and in the cluster's own.

use std::any::Any;
use std::net::IpAddr;
use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::{kinds, object};
use fake_network::{DnsEffect, DnsFault, DnsOutcome, FaultId, Finding, PortProbe};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Cause, Faults, Ground, Noticed, Objects, Set, Sighting, done, failed, impossible, no_target, read,
    unsupported,
};
use crate::fault::{FaultUse, HealStep, Params};
use crate::world::{InjectError, WorldError};

/// Where cluster DNS is.
const SYSTEM: &str = "kube-system";
const COREDNS: &str = "coredns";
/// The label of its pods.
const APP: (&str, &str) = ("k8s-app", "kube-dns");

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let effect = match fault.name() {
        "dns.cluster-gone" => return cluster_gone(ground, fault).await,
        // A resolver that refuses the connection does so for every name.
        "dns.refused" => return answers(ground, fault, DnsFault::ClosedPort, None).await,
        "dns.upstream-dead" => return answers(ground, fault, DnsFault::UpstreamDead, None).await,
        "dns.servfail" => DnsEffect::ServFail,
        "dns.nxdomain" => DnsEffect::NxDomain,
        "dns.timeout" => DnsEffect::Timeout,
        "dns.wrong-answer" => return wrong_answer(ground, fault).await,
        other => return Err(unsupported(other)),
    };
    answers(ground, fault, of_names(&fault.params, effect), None).await
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "dns.restore" => faults.lift(ground, "dns", step).await,
        "dns.restore-cluster" => {
            let scaled = scale(ground.objects, |now| if now == 0 { 1 } else { now }).await;
            done(step, scaled, "scaled-down", COREDNS)
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
        let Some(site) = ground.outside.portal() else {
            return Err(impossible(fault.name(), "its site has no portal at which guests sign in"));
        };
        let (address, opened) = site.open().await.map_err(|source| failed(fault.name(), source))?;
        addresses.push(address);
        portal = Some(opened);
    }
    let wrong = of_names(&fault.params, DnsEffect::WrongAnswer(addresses));
    answers(ground, fault, wrong, portal).await
}

async fn answers(
    ground: &Ground<'_>,
    fault: &FaultUse,
    wrong: DnsFault,
    portal: Option<Box<dyn Any>>,
) -> Set {
    let resolver = ground.outside.resolver().clone();
    let door = (wrong == DnsFault::ClosedPort).then(|| ground.now());
    let id = resolver.inject(wrong).await.map_err(|source| failed(fault.name(), source))?;
    if let Some(lasts) = fault.params.duration("lasts") {
        let clock = ground.objects.clock().clone();
        tokio::spawn(async move {
            clock.sleep(lasts).await;
            if let Err(error) = resolver.heal(id).await {
                tracing::warn!(%error, "a resolver does not answer again");
            }
        });
    }
    Ok(Rc::new(Answers { id, closed_since: door, _portal: portal }))
}

/// What the resolver answers instead.
struct Answers {
    id: FaultId,
    /// Since when nobody listens, where that is the fault.
    closed_since: Option<Timestamp>,
    _portal: Option<Box<dyn Any>>,
}

#[async_trait(?Send)]
impl Cause for Answers {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let resolver = ground.outside.resolver();
        if let Some(since) = self.closed_since {
            let faults = read(resolver.faults().await, "the resolver");
            if faults.iter().any(|(known, _)| *known == self.id) {
                read(resolver.probe().await, "the resolver");
            }
            return refused(read(resolver.probes().await, "the resolver"), since);
        }
        // What the effect cannot be told from is no receipt: a question for something else than an address.
        let met = read(resolver.receipts().await, "the resolver")
            .into_iter()
            .filter(|receipt| receipt.fault == Some(self.id) && receipt.outcome != DnsOutcome::NoData);
        met.map(|r| {
            let name = r.name.unwrap_or_default();
            Sighting::new(r.at, format_args!("{:?} question for {name}: {:?}", r.transport, r.outcome))
        })
        .collect()
    }

    async fn lift(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        ground.outside.resolver().heal(self.id).await
    }
}

/// Knocks at a port where nobody listened from this moment on.
pub(super) fn refused(probes: Vec<PortProbe>, since: Timestamp) -> Vec<Sighting> {
    let refused = probes.into_iter().filter(|probe| probe.finding == Finding::Refused && probe.at >= since);
    refused
        .map(|it| Sighting::new(it.at, format_args!("{:?} knock at {}: refused", it.transport, it.address)))
        .collect()
}

async fn cluster_gone(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let scaled = scale(ground.objects, |_| 0).await;
    if scaled.map_err(|source| failed(fault.name(), source))? {
        return Ok(Rc::new(ClusterGone(Noticed::default())));
    }
    Err(no_target(fault.name(), "replica of cluster DNS".to_owned(), Vec::new()))
}

/// Changes how many resolvers the cluster is to have; says whether that was a change.
async fn scale(objects: &Objects, change: impl Fn(u64) -> u64) -> Result<bool, WorldError> {
    if objects.get(&kinds::DEPLOYMENTS, SYSTEM, COREDNS).is_none() {
        return Ok(false);
    }
    let mut changed = false;
    let modify = |deployment: &mut Value| {
        let before = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
        let after = change(before);
        changed = before != after;
        deployment["spec"]["replicas"] = json!(after);
    };
    objects.modify(&kinds::DEPLOYMENTS, SYSTEM, COREDNS, modify).await?;
    Ok(changed)
}

/// Cluster DNS without a pod.
struct ClusterGone(Noticed);

#[async_trait(?Send)]
impl Cause for ClusterGone {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let pods = ground.objects.list(&kinds::PODS, Some(SYSTEM));
        let left = pods.iter().any(|pod| object::label(pod, APP.0) == Some(APP.1));
        self.0.if_so(!left, ground, "no pod of cluster DNS is left")
    }
}
