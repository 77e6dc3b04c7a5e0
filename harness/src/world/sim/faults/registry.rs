//! Causes in the image registry.

use std::num::NonZeroU64;
use std::rc::Rc;

use async_trait::async_trait;
use fake_network::{Effect, FaultId, RegistryFault};

use super::super::images::Image;
use super::super::outside::Outside;
use super::{Cause, Faults, Ground, Set, Sighting, dns, failed, no_target, unsupported};
use crate::fault::{FaultUse, HealStep, Params};
use crate::world::{InjectError, WorldError};

/// How many bytes an image is made to have whose transfer takes its time or breaks in the middle.
const LARGE: usize = 64 * 1024;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let cause = cause(ground.outside, fault)?;
    Ok(Rc::new(Answers(ground.outside.registry.control().inject(cause).await)))
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "registry.publish-tag" => {
            let image = named_image(ground.outside, step.name(), &step.params)?;
            ground.outside.push(image).map_err(|source| failed(step.name(), source))
        }
        "registry.restore" => faults.lift(ground, "registry", step).await,
        other => Err(unsupported(other)),
    }
}

fn cause(outside: &Outside, fault: &FaultUse) -> Result<RegistryFault, InjectError> {
    let effect = match fault.name() {
        "registry.missing-tag" => {
            let image = named_image(outside, fault.name(), &fault.params)?;
            if !outside.registry.control().tag_exists(image.repository(), image.tag()) {
                return Err(unknown_image(fault.name(), image.reference(), outside));
            }
            return Ok(RegistryFault::on(image.reference(), Effect::MissingTag));
        }
        "registry.slow" => return slow(outside, fault),
        "registry.cut" => {
            let image = large(outside, fault)?;
            return Ok(RegistryFault::on(image.reference(), Effect::Cut { after: LARGE as u64 / 2 }));
        }
        "registry.unreachable" => return Ok(RegistryFault::all(Effect::Unreachable)),
        "registry.error" => {
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
    outside.push_large(image, LARGE).map_err(|source| failed(fault.name(), source))?;
    Ok(image)
}

fn slow(outside: &Outside, fault: &FaultUse) -> Result<RegistryFault, InjectError> {
    let image = large(outside, fault)?;
    let seconds = fault.params.duration("takes").unwrap_or_default().as_secs().max(1);
    let bytes_per_second = NonZeroU64::new(LARGE as u64 / seconds).unwrap_or(NonZeroU64::MIN);
    Ok(RegistryFault::on(image.reference(), Effect::Slow { bytes_per_second }))
}

/// The image that the parameters name.
pub(super) fn named_image<'a>(
    outside: &'a Outside,
    what: &str,
    params: &Params,
) -> Result<&'a Image, InjectError> {
    let name = params.text("image").unwrap_or_default();
    outside.image(name).ok_or_else(|| unknown_image(what, name, outside))
}

fn unknown_image(what: &str, target: &str, outside: &Outside) -> InjectError {
    let known = outside.images.iter().map(|image| image.component().to_owned()).collect();
    no_target(what, format!("image {target}"), known)
}

/// What the registry answers instead.
struct Answers(FaultId);

#[async_trait(?Send)]
impl Cause for Answers {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let control = ground.outside.registry.control();
        let faults = control.faults();
        let closed = faults.iter().any(|(known, it)| *known == self.0 && it.effect == Effect::Unreachable);
        if closed {
            control.probe().await;
            return dns::refused(control.probes());
        }
        // The operator's command asks whether images are published; the fault has happened to who needed one.
        let met = control.receipts().into_iter().filter(|receipt| {
            !ground.outside.is_desk(receipt.client) && receipt.faults.iter().any(|fault| fault.id == self.0)
        });
        met.map(|r| {
            let status = r.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            Sighting::new(r.at, format_args!("{} https://{}{}: {status}", r.method, r.host, r.path))
        })
        .collect()
    }

    async fn lift(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        Ok(ground.outside.registry.control().heal(self.0).await?)
    }
}
