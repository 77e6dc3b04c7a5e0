//! Pods that somebody deletes.

use std::rc::Rc;

use async_trait::async_trait;
use cluster_api::object;

use super::{Cause, Ground, Noticed, Set, Sighting, failed, no_target, volumes};
use crate::fault::FaultUse;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    let component = fault.params.text("component").unwrap_or_default();
    let pods = volumes::pods(ground.objects, component);
    let deleted = volumes::restart(ground.objects, component).await;
    let deleted = deleted.map_err(|source| failed(fault.name(), source))?;
    if !deleted {
        return Err(no_target(fault.name(), format!("pod of {component}"), Vec::new()));
    }
    let uids = pods.iter().map(|pod| object::uid(pod).to_owned()).collect();
    Ok(Rc::new(Deleted { component: component.to_owned(), uids, noticed: Noticed::default() }))
}

/// A component's pods that somebody deleted.
struct Deleted {
    component: String,
    uids: Vec<String>,
    noticed: Noticed,
}

#[async_trait(?Send)]
impl Cause for Deleted {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let left = volumes::pods(ground.objects, &self.component);
        let gone = !left.iter().any(|pod| self.uids.iter().any(|uid| object::uid(pod) == uid));
        self.noticed.if_so(gone, ground, &format!("the pods of {} are gone", self.component))
    }
}
