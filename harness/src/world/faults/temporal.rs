//! Temporal without its schema.

use std::rc::Rc;

use async_trait::async_trait;
use serde_json::json;

use super::{Cause, Ground, Set, Sighting, Start, done, unsupported, values, workload};
use crate::fault::{FaultUse, HealStep};
use crate::world::InjectError;

pub(super) async fn inject(ground: &Ground<'_>, fault: &FaultUse) -> Set {
    match fault.name() {
        "temporal.no-autosetup" => {
            values::choose(ground, fault.name(), "temporal", |values| {
                values["temporal"]["autosetup"] = json!(false);
            })
            .await?;
            Ok(Rc::new(NoAutosetup))
        }
        other => Err(unsupported(other)),
    }
}

pub(super) async fn heal(ground: &Ground<'_>, step: &HealStep) -> Result<(), InjectError> {
    match step.name() {
        "temporal.run-autosetup" => {
            let patched = workload::patch_pods(ground.objects, "temporal", |pod| {
                pod["containers"][0]["args"] = json!(["autosetup"]);
            })
            .await;
            done(step, patched, "Deployment of", "temporal")
        }
        other => Err(unsupported(other)),
    }
}

struct NoAutosetup;

#[async_trait(?Send)]
impl Cause for NoAutosetup {
    async fn receipts(&self, ground: &Ground<'_>) -> Vec<Sighting> {
        let plain = |start: &&Start| !start.arguments.iter().any(|argument| argument == "autosetup");
        let starts = ground.starts.of("temporal");
        starts.iter().filter(plain).map(|start| Sighting::of(start, "without autosetup")).collect()
    }
}
