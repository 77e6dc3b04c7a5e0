//! Causes in the node's volumes.

use std::rc::Rc;

use async_trait::async_trait;

use super::{Cause, Ground, Noticed, Set, Sighting, done, unsupported, volumes};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

pub(super) fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let component = fault.params.text("component").unwrap_or_default().to_owned();
    match fault.name() {
        "volume.subpath-dangling" => {
            let (store, disk) = (ground.store().clone(), ground.disk.to_owned());
            tokio::spawn(volumes::dangle(store, disk, component.clone()));
            Ok(Rc::new(Broken { component, noticed: Noticed::default() }))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    let component = step.params.text("component").unwrap_or_default();
    match step.name() {
        "volume.repair" => {
            let repaired = volumes::repair(ground.store(), ground.disk, component);
            done(step, repaired, "broken volume", component)
        }
        other => Err(unsupported(other)),
    }
}

/// A component's volume of which something does not lead where it should.
struct Broken {
    component: String,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Broken {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let component = &self.component;
        let refused = volumes::refused(ground.store(), ground.disk, component);
        self.noticed.if_so(refused, ground, &format!("a container of {component} was not created"))
    }
}
