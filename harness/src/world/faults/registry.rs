//! Causes in the image registry.

use std::num::NonZeroU64;
use std::rc::Rc;

use async_trait::async_trait;
use fake_network::{Effect, FaultId, RegistryFault};
use jiff::Timestamp;

use super::Image;
use super::Outside;
use super::{Cause, Faults, Ground, Set, Sighting, dns, failed, no_target, read, unsupported};
use crate::fault::{FaultUse, HealStep, Params};
use crate::world::{InjectError, WorldError};

/// How many bytes an image is made to have whose transfer takes its time or breaks in the middle.
const LARGE: usize = 64 * 1024;
/// Seconds after which a registry lets clients come again that asked too often.
const A_MINUTE: u64 = 60;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let cause = cause(ground.outside, fault).await?;
    let registry = ground.outside.registry().clone();
    let closed_since = (cause.effect == Effect::Unreachable).then(|| ground.now());
    let id = registry.inject(cause).await.map_err(|source| failed(fault.name(), source))?;
    if let Some(lasts) = fault.params.duration("lasts") {
        let clock = ground.objects.clock().clone();
        tokio::spawn(async move {
            clock.sleep(lasts).await;
            if let Err(error) = registry.heal(id).await {
                tracing::warn!(%error, "a registry does not answer again");
            }
        });
    }
    Ok(Rc::new(Answers { id, closed_since }))
}

pub(super) async fn heal(ground: &Ground<'_>, faults: &Faults, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "registry.publish-tag" => {
            let image = named_image(ground.outside, step.name(), &step.params)?;
            ground.outside.push_good(image).await.map_err(|source| failed(step.name(), source))
        }
        "registry.restore" => faults.lift(ground, "registry", step).await,
        other => Err(unsupported(other)),
    }
}

async fn cause(outside: &Outside, fault: &FaultUse) -> Result<RegistryFault, InjectError> {
    let effect = match fault.name() {
        "registry.missing-tag" => {
            let image = named_image(outside, fault.name(), &fault.params)?;
            let exists = outside.registry().tag_exists(image.repository(), image.tag()).await;
            if !exists.map_err(|source| failed(fault.name(), source))? {
                return Err(unknown_image(fault.name(), image.reference(), outside));
            }
            return Ok(RegistryFault::on(image.reference(), Effect::MissingTag));
        }
        "registry.slow" => return slow(outside, fault).await,
        "registry.cut" => {
            let image = large(outside, fault).await?;
            return Ok(RegistryFault::on(image.reference(), Effect::Cut { after: LARGE as u64 / 2 }));
        }
        "registry.bad-digest" => {
            let image = named_image(outside, fault.name(), &fault.params)?;
            return Ok(RegistryFault::on(image.reference(), Effect::BadDigest));
        }
        "registry.unauthorized" => match fault.params.number("status") {
            None | Some(401) => Effect::Unauthorized,
            Some(403) => Effect::Forbidden,
            Some(other) => {
                let target = format!("refusal of the status {other}");
                return Err(no_target(fault.name(), target, vec!["401".to_owned(), "403".to_owned()]));
            }
        },
        "registry.rate-limited" => {
            let wait = fault.params.duration("retry-after").map_or(A_MINUTE, |wait| wait.as_secs());
            Effect::RateLimited { retry_after: u32::try_from(wait).unwrap_or(u32::MAX) }
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
async fn large<'a>(outside: &'a Outside, fault: &FaultUse) -> Result<&'a Image, InjectError> {
    let image = named_image(outside, fault.name(), &fault.params)?;
    outside.push_large(image, LARGE).await.map_err(|source| failed(fault.name(), source))?;
    Ok(image)
}

async fn slow(outside: &Outside, fault: &FaultUse) -> Result<RegistryFault, InjectError> {
    let image = large(outside, fault).await?;
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
    let found = match params.text("release") {
        Some(release) => outside.image_of(name, release),
        None => outside.image(name),
    };
    found.ok_or_else(|| unknown_image(what, name, outside))
}

fn unknown_image(what: &str, target: &str, outside: &Outside) -> InjectError {
    let known = outside.images.iter().map(|image| image.component().to_owned()).collect();
    no_target(what, format!("image {target}"), known)
}

/// What the registry answers instead.
struct Answers {
    id: FaultId,
    /// Since when nobody listens, where that is the fault.
    closed_since: Option<Timestamp>,
}

#[async_trait(?Send)]
impl Cause for Answers {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let registry = ground.outside.registry();
        if let Some(since) = self.closed_since {
            let faults = read(registry.faults().await, "the registry");
            if faults.iter().any(|(known, _)| *known == self.id) {
                read(registry.probe().await, "the registry");
            }
            return dns::refused(read(registry.probes().await, "the registry"), since);
        }
        // The operator's command asks whether images are published; the fault has happened to who needed one.
        let met = read(registry.receipts().await, "the registry").into_iter().filter(|receipt| {
            !ground.outside.is_desk(receipt.client) && receipt.faults.iter().any(|fault| fault.id == self.id)
        });
        met.map(|r| {
            let status = r.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            Sighting::new(r.at, format_args!("{} https://{}{}: {status}", r.method, r.host, r.path))
        })
        .collect()
    }

    async fn lift(&self, ground: &Ground<'_>) -> Result<(), WorldError> {
        ground.outside.registry().heal(self.id).await
    }
}
