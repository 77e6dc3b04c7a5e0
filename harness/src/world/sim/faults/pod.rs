//! Pods, as a person handles them.

use super::{Ground, done, unsupported, volumes};
use crate::fault::HealStep;
use crate::world::InjectError;

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let component = step.params.text("component").unwrap_or_default();
    match step.name() {
        "pod.restart" => done(step, volumes::restart(ground.store(), component), "pod", component),
        other => Err(unsupported(other)),
    }
}
