//! Causes in the site's resolver.

use std::rc::Rc;

use async_trait::async_trait;
use fake_network::{DnsEffect, DnsFault, FaultId, Finding, PortProbe};

use super::{Cause, Faults, Ground, Set, Sighting, unsupported};
use crate::fault::{FaultUse, HealStep, Params};
use crate::world::{InjectError, WorldError};

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let cause = cause(fault.name(), &fault.params).ok_or_else(|| unsupported(fault.name()))?;
    Ok(Rc::new(Answers(ground.outside.dns.control().inject(cause).await)))
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "dns.restore" => faults.lift(ground, "dns", step).await,
        other => Err(unsupported(other)),
    }
}

fn cause(name: &str, params: &Params) -> Option<DnsFault> {
    let effect = match name {
        // A resolver that refuses the connection does so for every name.
        "dns.refused" => return Some(DnsFault::ClosedPort),
        "dns.servfail" => DnsEffect::ServFail,
        "dns.nxdomain" => DnsEffect::NxDomain,
        _ => return None,
    };
    Some(match params.text("host") {
        Some(host) => DnsFault::names(host, effect),
        None => DnsFault::all(effect),
    })
}

/// What the resolver answers instead.
struct Answers(FaultId);

#[async_trait(?Send)]
impl Cause for Answers {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let control = ground.outside.dns.control();
        let closed =
            control.faults().iter().any(|(known, fault)| *known == self.0 && *fault == DnsFault::ClosedPort);
        if closed {
            control.probe().await;
            return refused(control.probes());
        }
        let met = control.receipts().into_iter().filter(|receipt| receipt.fault == Some(self.0));
        met.map(|r| {
            let name = r.name.unwrap_or_default();
            Sighting::new(r.at, format_args!("{:?} question for {name}: {:?}", r.transport, r.outcome))
        })
        .collect()
    }

    async fn lift(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        Ok(ground.outside.dns.control().heal(self.0).await?)
    }
}

/// Knocks at a port where nobody listens.
pub(super) fn refused(probes: Vec<PortProbe>) -> Vec<Sighting> {
    let refused = probes.into_iter().filter(|probe| probe.finding == Finding::Refused);
    refused
        .map(|it| Sighting::new(it.at, format_args!("{:?} knock at {}: refused", it.transport, it.address)))
        .collect()
}
