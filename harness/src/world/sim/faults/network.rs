//! Causes in the resolver and the registry.

use std::num::NonZeroU64;

use fake_network::{DnsEffect, DnsFault, Effect, FaultId, Finding, RegistryFault};
use jiff::Timestamp;

use super::super::images::Image;
use super::super::outside::Outside;
use super::unsupported;
use crate::fault::{FaultUse, Params};
use crate::world::InjectError;

/// How many bytes an image is made to have whose transfer takes its time or breaks in the middle.
const LARGE: usize = 64 * 1024;

pub(super) fn dns_fault(kind: &str, params: &Params) -> Option<DnsFault> {
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

pub(super) fn registry_fault(
    outside: &Outside,
    kind: &str,
    fault: &FaultUse,
) -> Result<RegistryFault, InjectError> {
    let effect = match kind {
        "missing-tag" => {
            let image = named_image(outside, fault.name(), &fault.params)?;
            if !outside.registry.control().tag_exists(image.repository(), image.tag()) {
                return Err(no_target(fault.name(), image.reference(), outside));
            }
            return Ok(RegistryFault::on(image.reference(), Effect::MissingTag));
        }
        "slow" => return slow_fault(outside, fault),
        "cut" => {
            let image = large(outside, fault)?;
            return Ok(RegistryFault::on(image.reference(), Effect::Cut { after: LARGE as u64 / 2 }));
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

/// An image that is large enough for its transfer to have a middle, published in its place.
fn large<'a>(outside: &'a Outside, fault: &FaultUse) -> Result<&'a Image, InjectError> {
    let image = named_image(outside, fault.name(), &fault.params)?;
    let failed = |source| InjectError::Failed { what: fault.name().to_owned(), source };
    outside.push_large(image, LARGE).map_err(failed)?;
    Ok(image)
}

fn slow_fault(outside: &Outside, fault: &FaultUse) -> Result<RegistryFault, InjectError> {
    let image = large(outside, fault)?;
    let seconds = fault.params.duration("takes").unwrap_or_default().as_secs().max(1);
    let bytes_per_second = NonZeroU64::new(LARGE as u64 / seconds).unwrap_or(NonZeroU64::MIN);
    Ok(RegistryFault::on(image.reference(), Effect::Slow { bytes_per_second }))
}

pub(super) fn named_image<'a>(
    outside: &'a Outside,
    what: &str,
    params: &Params,
) -> Result<&'a Image, InjectError> {
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

pub(super) async fn dns_receipts(outside: &Outside, id: FaultId) -> Vec<(Timestamp, String)> {
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

pub(super) async fn registry_receipts(outside: &Outside, id: FaultId) -> Vec<(Timestamp, String)> {
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
