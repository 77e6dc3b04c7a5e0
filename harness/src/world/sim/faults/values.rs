//! The site's own values.

use super::{Ground, done, site, unsupported};
use crate::fault::HealStep;
use crate::world::InjectError;

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let release = step.params.text("release").unwrap_or_default();
    match step.name() {
        "values.restore" => {
            done(step, site::take_away(&ground.configuration, release), "values of its own for", release)
        }
        other => Err(unsupported(other)),
    }
}
