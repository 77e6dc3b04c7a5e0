//! Faults and heals, done where their cause is: in the resolver, in the registry, in the cluster's objects.

use std::cell::RefCell;

use cluster_api::{Store, kinds};
use fake_network::{DnsEffect, DnsFault, Effect, FaultId, Finding, RegistryFault};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::images::Image;
use super::outside::Outside;
use crate::fault::{FaultUse, HealStep, Params};
use crate::world::{InjectError, Receipt};

/// Annotation that asks Flux to look at an object now, and the one that also lets a release that gave up try again.
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Where HelmReleases live.
const RELEASES: &str = "alga-system";

/// The faults that are in force.
#[derive(Default)]
pub(super) struct Faults {
    injected: RefCell<Vec<Injected>>,
}

#[derive(Clone)]
struct Injected {
    /// The fault and its parameters, as a scenario writes them.
    what: String,
    at: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Dns(FaultId),
    Registry(FaultId),
}

impl Faults {
    pub(super) async fn inject(&self, outside: &Outside, fault: &FaultUse) -> Result<(), InjectError> {
        let at = match fault.name().split_once('.') {
            Some(("dns", kind)) => {
                let cause = dns_fault(kind, &fault.params).ok_or_else(|| unsupported(fault.name()))?;
                Place::Dns(outside.dns.control().inject(cause).await)
            }
            Some(("registry", kind)) => {
                let cause = registry_fault(outside, kind, fault)?;
                Place::Registry(outside.registry.control().inject(cause).await)
            }
            _ => return Err(unsupported(fault.name())),
        };
        self.injected.borrow_mut().push(Injected { what: fault.to_string(), at });
        Ok(())
    }

    pub(super) async fn heal(
        &self,
        outside: &Outside,
        store: &Store,
        step: &HealStep,
    ) -> Result<(), InjectError> {
        let name = step.name();
        match name {
            "registry.publish-tag" => {
                let image = named_image(outside, name, &step.params)?;
                outside.push(image).map_err(|source| InjectError::Failed { what: name.to_owned(), source })
            }
            "registry.restore" => self.lift(outside, name, |place| matches!(place, Place::Registry(_))).await,
            "dns.restore" => self.lift(outside, name, |place| matches!(place, Place::Dns(_))).await,
            "flux.reconcile" => reconcile(store, name, step.params.text("release").unwrap_or_default()),
            _ => Err(unsupported(name)),
        }
    }

    pub(super) async fn receipt(&self, outside: &Outside, fault: &FaultUse) -> Receipt {
        let what = fault.to_string();
        let places: Vec<Place> =
            self.injected.borrow().iter().filter(|injected| injected.what == what).map(|i| i.at).collect();
        let mut receipt = Receipt::default();
        for place in places {
            let seen = match place {
                Place::Dns(id) => dns_receipts(outside, id).await,
                Place::Registry(id) => registry_receipts(outside, id).await,
            };
            for (at, line) in seen {
                receipt.count += 1;
                receipt.first = Some(receipt.first.map_or(at, |first| first.min(at)));
                receipt.evidence.push(line);
            }
        }
        receipt
    }

    /// Takes away every fault at a place of this kind. Tags that a fault took stay away: only publishing brings them back.
    async fn lift(
        &self,
        outside: &Outside,
        name: &str,
        here: impl Fn(&Place) -> bool,
    ) -> Result<(), InjectError> {
        let places: Vec<Place> =
            self.injected.borrow().iter().map(|i| i.at).filter(|place| here(place)).collect();
        for place in places {
            let lifted = match place {
                Place::Dns(id) => outside.dns.control().heal(id).await,
                Place::Registry(id) => outside.registry.control().heal(id).await,
            };
            lifted.map_err(|source| InjectError::Failed { what: name.to_owned(), source: source.into() })?;
        }
        Ok(())
    }
}

fn unsupported(what: &str) -> InjectError {
    InjectError::Unsupported { what: what.to_owned() }
}

fn dns_fault(kind: &str, params: &Params) -> Option<DnsFault> {
    let effect = match kind {
        // A resolver that refuses the connection does so for every name.
        "refused" => return Some(DnsFault::ClosedPort),
        "servfail" => DnsEffect::ServFail,
        "nxdomain" => DnsEffect::NxDomain,
        _ => return None,
    };
    Some(match params.text("host") {
        Some(host) => DnsFault::names(host, effect),
        None => DnsFault::all(effect),
    })
}

fn registry_fault(outside: &Outside, kind: &str, fault: &FaultUse) -> Result<RegistryFault, InjectError> {
    let effect = match kind {
        "missing-tag" => {
            let image = named_image(outside, fault.name(), &fault.params)?;
            if !outside.registry.control().tag_exists(image.repository(), image.tag()) {
                return Err(no_target(fault.name(), image.reference(), outside));
            }
            return Ok(RegistryFault::on(image.reference(), Effect::MissingTag));
        }
        "unreachable" => return Ok(RegistryFault::all(Effect::Unreachable)),
        "error" => {
            let status =
                fault.params.number("status").and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
            Effect::Error { status }
        }
        _ => return Err(unsupported(fault.name())),
    };
    if fault.params.text("image").is_none() {
        return Ok(RegistryFault::all(effect));
    }
    let image = named_image(outside, fault.name(), &fault.params)?;
    Ok(RegistryFault::on(image.reference(), effect))
}

fn named_image<'a>(outside: &'a Outside, what: &str, params: &Params) -> Result<&'a Image, InjectError> {
    let name = params.text("image").unwrap_or_default();
    outside.image(name).ok_or_else(|| no_target(what, name, outside))
}

fn no_target(what: &str, target: &str, outside: &Outside) -> InjectError {
    InjectError::NoTarget {
        what: what.to_owned(),
        target: format!("image {target}"),
        known: outside.images.iter().map(|image| image.component().to_owned()).collect(),
    }
}

/// Asks a HelmRelease to reconcile, as `flux reconcile helmrelease --reset` does.
fn reconcile(store: &Store, what: &str, release: &str) -> Result<(), InjectError> {
    let now = store.clock().now().to_string();
    let asked = store.modify(&kinds::HELM_RELEASES, RELEASES, release, |object: &mut Value| {
        let annotations = &mut object["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        annotations[REQUESTED_AT] = json!(now);
        annotations[RESET_AT] = json!(now);
    });
    asked.map(drop).map_err(|_| InjectError::NoTarget {
        what: what.to_owned(),
        target: format!("HelmRelease {release}"),
        known: store
            .list(&kinds::HELM_RELEASES, Some(RELEASES))
            .iter()
            .map(|object| cluster_api::object::name(object).to_owned())
            .collect(),
    })
}

async fn dns_receipts(outside: &Outside, id: FaultId) -> Vec<(Timestamp, String)> {
    let control = outside.dns.control();
    let closed = control.faults().iter().any(|(known, fault)| *known == id && *fault == DnsFault::ClosedPort);
    if closed {
        control.probe().await;
        return refused(control.probes());
    }
    let met = control.receipts().into_iter().filter(|receipt| receipt.fault == Some(id));
    met.map(|r| {
        (
            r.at,
            format!(
                "{} {:?} question for {}: {:?}",
                r.at,
                r.transport,
                r.name.unwrap_or_default(),
                r.outcome
            ),
        )
    })
    .collect()
}

async fn registry_receipts(outside: &Outside, id: FaultId) -> Vec<(Timestamp, String)> {
    let control = outside.registry.control();
    let closed =
        control.faults().iter().any(|(known, fault)| *known == id && fault.effect == Effect::Unreachable);
    if closed {
        control.probe().await;
        return refused(control.probes());
    }
    // The operator's command asks whether images are published; the fault has happened to who needed one.
    let met = control.receipts().into_iter().filter(|receipt| {
        !outside.is_desk(receipt.client) && receipt.faults.iter().any(|fault| fault.id == id)
    });
    met.map(|r| {
        let status = r.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        (r.at, format!("{} {} https://{}{}: {status}", r.at, r.method, r.host, r.path))
    })
    .collect()
}

fn refused(probes: Vec<fake_network::PortProbe>) -> Vec<(Timestamp, String)> {
    probes
        .into_iter()
        .filter(|probe| probe.finding == Finding::Refused)
        .map(|probe| {
            (probe.at, format!("{} {:?} knock at {}: refused", probe.at, probe.transport, probe.address))
        })
        .collect()
}
